// Lets sg3_utils talk to an iSCSI target without a kernel's help: sg3_utils opens a file, this opens the iscsi:// URL of
// $SG_URL in its place, and has libiscsi send what ioctl(SG_IO) is asked for. Preloaded: LD_PRELOAD=sg.so sg_format ... /dev/sg-of-libiscsi
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static const char device[] = "/dev/sg-of-libiscsi";
static struct iscsi_context *iscsi;
static int lun, descriptor = -1;

static int connect_to(const char *address) {
  iscsi = iscsi_create_context("iqn.2026-11.test:sg");
  struct iscsi_url *url = address ? iscsi_parse_full_url(iscsi, address) : NULL;
  if (!url) return errno = ENODEV, -1;
  iscsi_set_targetname(iscsi, url->target);
  iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
  lun = url->lun;
  // Not iscsi_full_connect_sync: that wants a unit that is ready.
  if (iscsi_connect_sync(iscsi, url->portal) || iscsi_login_sync(iscsi)) return errno = ENODEV, -1;
  return descriptor = memfd_create(device, 0);
}

int open64(const char *path, int flags, ...) {
  if (!strcmp(path, device)) return connect_to(getenv("SG_URL"));
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
  return next(path, flags, mode);
}

// What open64 becomes with _FORTIFY_SOURCE.
int __open64_2(const char *path, int flags) { return open64(path, flags, 0); }

static int send_command(sg_io_hdr_t *io) {
  int direction = io->dxfer_direction == SG_DXFER_TO_DEV ? SCSI_XFER_WRITE : io->dxfer_direction == SG_DXFER_NONE ? SCSI_XFER_NONE : SCSI_XFER_READ;
  struct scsi_task *task = scsi_create_task(io->cmd_len, io->cmdp, direction, direction == SCSI_XFER_NONE ? 0 : io->dxfer_len);
  struct iscsi_data out = {.size = io->dxfer_len, .data = io->dxferp};
  if (!task || !iscsi_scsi_command_sync(iscsi, lun, task, direction == SCSI_XFER_WRITE ? &out : NULL)) return errno = EIO, -1;
  io->status = task->status;
  io->masked_status = task->status >> 1;
  io->host_status = io->driver_status = io->info = io->sb_len_wr = io->resid = 0;
  if (task->status == SCSI_STATUS_CHECK_CONDITION) {
    // libiscsi leaves the sense as it came, behind its length.
    int length = task->datain.size - 2;
    io->sb_len_wr = length < io->mx_sb_len ? length : io->mx_sb_len;
    memcpy(io->sbp, task->datain.data + 2, io->sb_len_wr);
    io->driver_status = 8;
  } else if (direction == SCSI_XFER_READ) {
    io->resid = io->dxfer_len - task->datain.size;
    memcpy(io->dxferp, task->datain.data, task->datain.size);
  }
  scsi_free_scsi_task(task);
  return 0;
}

int ioctl(int file, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (file != descriptor || file < 0) {
    int (*next)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return next(file, request, argument);
  }
  if (request == SG_IO) return send_command(argument);
  if (request != SG_GET_VERSION_NUM) return errno = ENOTTY, -1;
  *(int *)argument = 30536;
  return 0;
}
