// One of several initiators that share a disk and are in each other's way: contender URL NUMBER ROUNDS
// Each round has reads and writes under way, and then clears the task set, resets the unit, puts another out with PREEMPT
// AND ABORT, or does nothing of it. Commands may be aborted by anybody, and then are never answered: NOP-Out, which
// nobody aborts, tells that the target has gone on, and ABORT TASK SET that nothing is left. Ends after all rounds, or never.
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { block = 512, small = 4096, large = 262144 };

static struct iscsi_context *iscsi;
static int queued, answered, waited;

static void fail(const char *what) {
  printf("FAILED %s: %s\n", what, iscsi_get_error(iscsi));
  exit(1);
}

static void on_answer(struct iscsi_context *context, int status, void *data, void *state) {
  (void)context, (void)state;
  if (status != SCSI_STATUS_CANCELLED) answered++;
  if (data) scsi_free_scsi_task(data);
}

static void on_event(struct iscsi_context *context, int status, void *data, void *state) {
  (void)context, (void)status, (void)data, (void)state;
  waited--;
}

static void serve_until_heard(void) {
  while (waited > 0) {
    struct pollfd socket = {.fd = iscsi_get_fd(iscsi), .events = iscsi_which_events(iscsi)};
    if (poll(&socket, 1, -1) < 0 || iscsi_service(iscsi, socket.revents)) fail("service");
  }
}

static void manage(enum iscsi_task_mgmt_funcs function) {
  if (iscsi_task_mgmt_async(iscsi, 0, function, 0xffffffff, 0, on_event, NULL)) fail("task management");
  waited++;
}

static void reserve(int action, unsigned long long key, unsigned long long action_key) {
  struct scsi_persistent_reserve_out_basic list = {.reservation_key = key, .service_action_reservation_key = action_key};
  struct scsi_task *task = scsi_cdb_persistent_reserve_out(action, 0, SCSI_PERSISTENT_RESERVE_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, &list);
  if (!task || iscsi_scsi_command_async(iscsi, 0, task, on_answer, NULL, NULL)) fail("reservation");
  queued++;
}

int main(int count, char **argument) {
  if (count != 4) return 2;
  int number = atoi(argument[2]), rounds = atoi(argument[3]), unanswered = 0, all = 0;
  char name[64];
  static unsigned char data[large];
  srand(number + 1);
  snprintf(name, sizeof name, "iqn.2026-11.test:contender-%d", number);
  iscsi = iscsi_create_context(name);
  struct iscsi_url *url = iscsi_parse_full_url(iscsi, argument[1]);
  iscsi_set_targetname(iscsi, url->target);
  iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
  iscsi_set_noautoreconnect(iscsi, 1);
  if (iscsi_connect_sync(iscsi, url->portal) || iscsi_login_sync(iscsi)) fail("login");
  for (int round = 0; round < rounds; round++) {
    queued = answered = 0;
    for (int i = 0; i < 8; i++, queued++) {
      unsigned lba = rand() % 1000 * 16, length = rand() % 4 ? small : large;
      struct scsi_task *task = rand() % 2
        ? iscsi_write10_task(iscsi, 0, lba, data, length, block, 0, 0, 0, 0, 0, on_answer, NULL)
        : iscsi_read10_task(iscsi, 0, lba, length, block, 0, 0, 0, 0, 0, on_answer, NULL);
      if (!task) fail("read or write");
    }
    int what = rand() % 8;
    if (what == 0) manage(ISCSI_TM_CLEAR_TASK_SET);
    else if (what == 1) manage(ISCSI_TM_LUN_RESET);
    else if (what < 6) {
      reserve(SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY, 0, 100 + number);
      reserve(SCSI_PERSISTENT_RESERVE_PREEMPT_AND_ABORT, 100 + number, 100 + rand() % 4);
    }
    for (int pings = 0; answered < queued && pings < 30; pings++) {
      if (iscsi_nop_out_async(iscsi, on_event, NULL, 0, NULL)) fail("NOP-Out");
      waited++;
      serve_until_heard();
    }
    manage(ISCSI_TM_ABORT_TASK_SET);
    serve_until_heard();
    all += queued;
    unanswered += queued - answered;
    iscsi_scsi_cancel_all_tasks(iscsi);
  }
  printf("%d rounds, %d commands, %d of them aborted\n", rounds, all, unanswered);
  iscsi_logout_sync(iscsi);
  return 0;
}
