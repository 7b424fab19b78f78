// Writes blocks that say what they are, until a line comes from standard input, and reads them all back: DEVICE WRITERS.
// Each writer has a part of the disk to itself and remembers which generation of each block was acknowledged. An
// acknowledged block that later holds anything else is lost data. Exit status 0: nothing was lost and no call failed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fs.h>

enum { BLOCK = 4096, WORDS = BLOCK / 8, MOST = 32, PROGRESS = 40 };

static uint64_t state;
static volatile sig_atomic_t enough;

static void stop(int signal) { (void)signal; enough = 1; }

static uint64_t next(uint64_t *s) { // splitmix64
  uint64_t z = *s += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void fill(uint64_t *block, uint64_t number, uint64_t generation) {
  if (generation == 0) { memset(block, 0, BLOCK); return; }
  uint64_t seed = number << 24 ^ generation;
  block[0] = number;
  block[1] = generation;
  for (int i = 2; i < WORDS; i++) block[i] = next(&seed);
}

static void fail(const char *what, uint64_t block) {
  printf("VERIFIER FAILED: %s at block %llu: %s\n", what, (unsigned long long)block, strerror(errno));
  fflush(stdout);
  exit(1);
}

static void check(int disk, uint64_t *buffer, uint64_t first, uint64_t block, const uint32_t *generation) {
  static uint64_t expected[WORDS];
  if (pread(disk, buffer, BLOCK, (first + block) * BLOCK) != BLOCK) fail("read", first + block);
  fill(expected, first + block, generation[block]);
  if (memcmp(buffer, expected, BLOCK) != 0) {
    printf("VERIFIER FAILED: block %llu holds generation %llu of block %llu, generation %u was acknowledged\n",
           (unsigned long long)(first + block), (unsigned long long)buffer[1], (unsigned long long)buffer[0], generation[block]);
    fflush(stdout);
    exit(1);
  }
}

static void writer(const char *path, uint64_t first, uint64_t blocks, int self) {
  int disk = open(path, O_RDWR | O_DIRECT);
  if (disk < 0) fail("open", first);
  uint64_t *buffer;
  if (posix_memalign((void **)&buffer, BLOCK, MOST * BLOCK)) fail("memory", first);
  uint32_t *generation = calloc(blocks, sizeof *generation);
  state = 0x5117 + self;
  for (int round = 1; !enough; round++) {
    uint64_t count = 1 + next(&state) % MOST, block = next(&state) % (blocks - count);
    for (uint64_t i = 0; i < count; i++) fill(buffer + i * WORDS, first + block + i, generation[block + i] + 1);
    if (pwrite(disk, buffer, count * BLOCK, (first + block) * BLOCK) != (ssize_t)(count * BLOCK)) fail("write", first + block);
    for (uint64_t i = 0; i < count; i++) generation[block + i]++;
    if (round % 8 == 0) check(disk, buffer, first, next(&state) % blocks, generation);
    if (round % 64 == 0 && fdatasync(disk) != 0) fail("flush", first);
    if (round % PROGRESS == 0) { printf("VERIFIER PROGRESS %d %d\n", self, round); fflush(stdout); }
  }
  for (uint64_t block = 0; block < blocks; block++) check(disk, buffer, first, block, generation);
  exit(0);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int writers = atoi(argv[2]), disk = open(argv[1], O_RDONLY), lost = 0;
  uint64_t size = 0;
  if (disk < 0 || ioctl(disk, BLKGETSIZE64, &size) != 0) fail("open", 0);
  close(disk);
  uint64_t blocks = size / BLOCK / writers;
  signal(SIGUSR1, stop);
  for (int i = 0; i < writers; i++)
    if (fork() == 0) writer(argv[1], i * blocks, blocks, i);
  while (getchar() != '\n') if (feof(stdin)) break;
  signal(SIGUSR1, SIG_IGN);
  kill(0, SIGUSR1);
  for (int i = 0; i < writers; i++) {
    int status;
    if (wait(&status) < 0 || status != 0) lost = 1;
  }
  if (!lost) printf("VERIFIER DONE: every acknowledged block is there\n");
  return lost;
}
