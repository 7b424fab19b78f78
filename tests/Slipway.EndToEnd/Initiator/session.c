// A session over libiscsi that lasts, and does what standard input says, a line each:
//   session INITIATOR PORTAL TARGET USER SECRET REVERSE-USER REVERSE-SECRET
//   ready            TEST UNIT READY
//   capacity         READ CAPACITY(16), in bytes
//   read LBA         one block of 512 bytes, as text up to its first zero
//   write LBA TEXT   one block that begins with TEXT
//   register KEY     PERSISTENT RESERVE OUT, with APTPL
//   reserve KEY      the same, write exclusive, registrants only
// Each is answered with one line: GOOD and the result, or CHECK with sense key, ASC and ASCQ. Ends with the input.
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct iscsi_context *iscsi;

static void fail(const char *what) {
  printf("FAILED %s: %s\n", what, iscsi_get_error(iscsi));
  exit(1);
}

static void answer(struct scsi_task *task, const char *what, const char *text) {
  if (!task) fail(what);
  if (task->status == SCSI_STATUS_GOOD) printf("%s GOOD %s\n", what, text);
  else if (task->status == SCSI_STATUS_CHECK_CONDITION) printf("%s CHECK %x/%04x\n", what, task->sense.key, task->sense.ascq);
  else printf("%s STATUS %d\n", what, task->status);
  fflush(stdout);
  scsi_free_scsi_task(task);
}

int main(int count, char **argument) {
  if (count != 8) return 2;
  iscsi = iscsi_create_context(argument[1]);
  iscsi_set_targetname(iscsi, argument[3]);
  iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
  iscsi_set_initiator_username_pwd(iscsi, argument[4], argument[5]);
  iscsi_set_target_username_pwd(iscsi, argument[6], argument[7]);
  iscsi_set_noautoreconnect(iscsi, 1);
  if (iscsi_full_connect_sync(iscsi, argument[2], 0)) fail("login");
  puts("logged in");
  fflush(stdout);
  char line[600], word[16], text[512];
  while (fgets(line, sizeof line, stdin)) {
    unsigned long long lba = 0;
    unsigned char block[513] = {0};
    if (sscanf(line, "%15s %llu %511[^\n]", word, &lba, text) < 1) continue;
    if (!strcmp(word, "ready")) answer(iscsi_testunitready_sync(iscsi, 0), word, "");
    else if (!strcmp(word, "write")) {
      strncpy((char *)block, text, 512);
      answer(iscsi_write16_sync(iscsi, 0, lba, block, 512, 512, 0, 0, 0, 0, 0), word, "");
    } else if (!strcmp(word, "read")) {
      struct scsi_task *task = iscsi_read16_sync(iscsi, 0, lba, 512, 512, 0, 0, 0, 0, 0);
      if (task && task->datain.size == 512) memcpy(block, task->datain.data, 512);
      answer(task, word, (char *)block);
    } else if (!strcmp(word, "register")) {
      struct scsi_persistent_reserve_out_basic list = {.service_action_reservation_key = lba, .aptpl = 1};
      answer(iscsi_persistent_reserve_out_sync(iscsi, 0, SCSI_PERSISTENT_RESERVE_REGISTER, 0, 0, &list), word, "");
    } else if (!strcmp(word, "reserve")) {
      struct scsi_persistent_reserve_out_basic list = {.reservation_key = lba};
      answer(iscsi_persistent_reserve_out_sync(iscsi, 0, SCSI_PERSISTENT_RESERVE_RESERVE, SCSI_PERSISTENT_RESERVE_SCOPE_LU,
                                               SCSI_PERSISTENT_RESERVE_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, &list), word, "");
    } else if (!strcmp(word, "capacity")) {
      struct scsi_task *task = iscsi_readcapacity16_sync(iscsi, 0);
      struct scsi_readcapacity16 *size = task && task->status == SCSI_STATUS_GOOD ? scsi_datain_unmarshall(task) : NULL;
      if (size) sprintf(text, "%llu", (unsigned long long)(size->returned_lba + 1) * size->block_length);
      answer(task, word, text);
    }
  }
  iscsi_logout_sync(iscsi);
  return 0;
}
