// Loads that iscsi-perf does not have, over libiscsi.
//   load idle N URL          N sessions, logged in and then silent, until standard input ends
//   load mixed SECONDS URL   10,000 commands a second over four sessions, whatever comes back: 70 % random reads of 4 KiB,
//                            20 % random writes of 4 KiB, 10 % reads of 128 KiB; prints the latency of the 4 KiB reads,
//                            from the time at which each was due
//   load stalls SECONDS      only looks at the clock; prints how often the machine held it up for more than half a
//                            millisecond, how long in all and at most, in milliseconds
// CHAP comes from the URL (user%password, target_user, target_password). Build: gcc -O2 -o load load.c -liscsi
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { sessions = 4, rate = 10000, small = 8, large = 256, most_samples = 4000000 };    // small, large: blocks of 512

struct command { uint64_t due; int kind; };

static unsigned char payload[4096];
static uint64_t blocks, seed = 88172645463325252;
static uint32_t *samples;      // nanoseconds
static size_t count, total;
static int running;

static uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static uint64_t next(void) { seed ^= seed << 13; seed ^= seed >> 7; return seed ^= seed << 17; }
static void die(const char *what, struct iscsi_context *iscsi) { fprintf(stderr, "%s: %s\n", what, iscsi ? iscsi_get_error(iscsi) : ""); exit(1); }

static struct iscsi_context *login(const char *url, int *lun, int i) {
  char name[64];
  snprintf(name, sizeof name, "iqn.2026-11.bench:load%d", i);
  struct iscsi_context *iscsi = iscsi_create_context(name);
  struct iscsi_url *u = iscsi ? iscsi_parse_full_url(iscsi, url) : NULL;
  if (!u) die(url, iscsi);
  iscsi_set_targetname(iscsi, u->target);
  iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(iscsi, ISCSI_HEADER_DIGEST_NONE);
  if (u->user[0]) iscsi_set_initiator_username_pwd(iscsi, u->user, u->passwd);
  if (u->target_user[0]) iscsi_set_target_username_pwd(iscsi, u->target_user, u->target_passwd);
  if (iscsi_full_connect_sync(iscsi, u->portal, u->lun)) die("login", iscsi);
  *lun = u->lun;
  iscsi_destroy_url(u);
  return iscsi;
}

static void done(struct iscsi_context *iscsi, int status, void *data, void *private) {
  struct command *c = private;
  if (status != SCSI_STATUS_GOOD) die("command", iscsi);
  if (c->kind == 0 && count < most_samples) samples[count++] = now() - c->due;
  total++;
  running--;
  scsi_free_scsi_task(data);
  free(c);
}

static void issue(struct iscsi_context *iscsi, int lun, uint64_t due) {
  struct command *c = malloc(sizeof *c);
  unsigned dice = next() % 10;
  *c = (struct command){.due = due, .kind = dice < 7 ? 0 : dice < 9 ? 1 : 2};
  int length = c->kind == 2 ? large : small;
  uint64_t lba = next() % (blocks / length) * length;
  struct scsi_task *task = c->kind == 1
    ? iscsi_write16_task(iscsi, lun, lba, payload, length * 512, 512, 0, 0, 0, 0, 0, done, c)
    : iscsi_read16_task(iscsi, lun, lba, length * 512, 512, 0, 0, 0, 0, 0, done, c);
  if (!task) die("queue", iscsi);
  running++;
}

static int ascending(const void *a, const void *b) { uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b; return (x > y) - (x < y); }

static void mixed(int seconds, const char *url) {
  struct iscsi_context *iscsi[sessions];
  int lun;
  samples = malloc(most_samples * sizeof *samples);
  for (int i = 0; i < sessions; i++) iscsi[i] = login(url, &lun, i);
  struct scsi_task *capacity = iscsi_readcapacity16_sync(iscsi[0], lun);
  struct scsi_readcapacity16 *size = capacity ? scsi_datain_unmarshall(capacity) : NULL;
  if (!size) die("READ CAPACITY", iscsi[0]);
  blocks = size->returned_lba + 1;
  uint64_t start = now(), end = start + seconds * 1000000000ull, due = start;
  for (int turn = 0; due < end || running > 0;) {
    for (; due < end && due <= now(); due += 1000000000 / rate) issue(iscsi[turn++ % sessions], lun, due);
    struct pollfd set[sessions];
    for (int i = 0; i < sessions; i++) set[i] = (struct pollfd){.fd = iscsi_get_fd(iscsi[i]), .events = iscsi_which_events(iscsi[i])};
    poll(set, sessions, 0);      // never asleep: its own waking up is no part of the latency
    for (int i = 0; i < sessions; i++)
      if (set[i].revents && iscsi_service(iscsi[i], set[i].revents) < 0) die("service", iscsi[i]);
    if (now() > end + 10000000000ull) die("no answer for ten seconds", NULL);
  }
  if (!count) die("no samples", NULL);
  qsort(samples, count, sizeof *samples, ascending);
  // Commands per second, then the median, p99 and p99.9 of 4 KiB reads in microseconds.
  printf("%.0f %.0f %.0f %.0f\n", total / (double)seconds, samples[count / 2] / 1e3, samples[count * 99 / 100] / 1e3, samples[count * 999 / 1000] / 1e3);
}

static void stalls(int seconds) {
  uint64_t start = now(), before = start, all = 0, most = 0;
  int stalls = 0;
  for (uint64_t time; (time = now()) < start + seconds * 1000000000ull; before = time) {
    uint64_t gap = time - before;
    if (gap <= 500000) continue;
    stalls++;
    all += gap;
    if (gap > most) most = gap;
  }
  printf("%d %.1f %.1f\n", stalls, all / 1e6, most / 1e6);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "stalls") == 0) { stalls(atoi(argv[2])); return 0; }
  if (argc != 4) { fprintf(stderr, "usage: load idle N URL | load mixed SECONDS URL | load stalls SECONDS\n"); return 2; }
  int n = atoi(argv[2]), lun;
  if (strcmp(argv[1], "mixed") == 0) { mixed(n, argv[3]); return 0; }
  struct rlimit files = {n + 64, n + 64};
  setrlimit(RLIMIT_NOFILE, &files);
  for (int i = 0; i < n; i++) login(argv[3], &lun, i);
  puts("ready");
  fflush(stdout);
  while (getchar() != EOF) { }
  return 0;
}
