// Reads over as many sessions as wanted, by the plainest initiator there is: so that the target is what is measured, and
// for what libiscsi lacks (data digests). One thread; each session keeps DEPTH commands under way.
//   reads SESSIONS DEPTH BLOCKS random|sequential none|digests SECONDS HOST PORT TARGET LUN [USER SECRET]
// Prints commands per second. Payload is dropped in the kernel (MSG_TRUNC). With digests each header digest is checked, and
// each 1024th data digest, for which the payload is received. Build: gcc -O2 -o reads reads.c -lcrypto
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { header_size = 48, most_sessions = 64, check_every = 1024 };
enum part { HEADER, DATA, TAIL };         // the header with its digest; padding and the data digest

struct session {
  int fd;
  uint32_t command, status;               // CmdSN, ExpStatSN
  uint64_t next_lba;
  int running;
  enum part part;
  unsigned char header[header_size + 4];
  size_t left, got;                       // of this part
  uint32_t length, crc;
  int checks;                             // this PDU's data digest
  unsigned char tail[8];                  // padding and data digest
};

static struct session sessions[most_sessions];
static unsigned char buffer[256 << 10];
static uint64_t capacity, seed = 88172645463325252, total, segments;
static int depth, blocks, at_random, digests, lun;
static uint32_t crc_table[256];

static void die(const char *what) { fprintf(stderr, "reads: %s\n", what); exit(1); }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static uint64_t next(void) { seed ^= seed << 13; seed ^= seed >> 7; return seed ^= seed << 17; }
static void put(unsigned char *at, uint32_t value) { value = htonl(value); memcpy(at, &value, 4); }
static uint32_t get(const unsigned char *at) { uint32_t value; memcpy(&value, at, 4); return ntohl(value); }

static uint32_t crc(uint32_t state, const unsigned char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) state = crc_table[(state ^ bytes[i]) & 255] ^ state >> 8;
  return state;
}

static void prepare_crc(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
    crc_table[i] = c;
  }
}

static void write_all(int fd, const void *bytes, size_t count) {
  for (const char *at = bytes; count > 0;) {
    ssize_t n = send(fd, at, count, MSG_NOSIGNAL);
    if (n <= 0) die("the target closed the connection");
    at += n;
    count -= n;
  }
}

static void read_all(int fd, void *bytes, size_t count) {
  if (count > 0 && recv(fd, bytes, count, MSG_WAITALL) != (ssize_t)count) die("the target closed the connection");
}

// One login request and its answer; the answer's text is in buffer. Keys are separated by '\n' here.
static void login_step(struct session *s, int number, int stage, int transit, const char *keys) {
  unsigned char request[header_size + 4096] = {0x43, transit ? 0x80 | stage << 2 | (stage ? 3 : 1) : stage << 2};
  size_t length = strlen(keys);
  memcpy(request + header_size, keys, length);
  for (size_t i = 0; i < length; i++) if (request[header_size + i] == '\n') request[header_size + i] = 0;
  request[6] = length >> 8;
  request[7] = length;
  request[8] = 0x80;                       // ISID: random format, one for each session
  request[13] = number + 1;
  put(request + 16, 1);
  put(request + 24, s->command);
  put(request + 28, s->status);
  write_all(s->fd, request, header_size + (length + 3) / 4 * 4);
  read_all(s->fd, s->header, header_size);
  length = get(s->header + 4) & 0xffffff;
  if (length > sizeof buffer - 4) die("a login response too long");
  read_all(s->fd, buffer, (length + 3) / 4 * 4);
  buffer[length] = 0;
  if (s->header[0] != 0x23 || s->header[36] != 0) die("the login was refused");
  s->status = get(s->header + 24) + 1;
  for (size_t i = 0; i < length; i++) if (buffer[i] == 0) buffer[i] = '\n';
}

static void chap(const char *secret, char *response) {
  const char *id = strstr((char *)buffer, "CHAP_I="), *challenge = strstr((char *)buffer, "CHAP_C=0x");
  if (!id || !challenge) die("no CHAP challenge");
  unsigned char bytes[2048], hash[EVP_MAX_MD_SIZE];
  unsigned int length = 0, byte;
  bytes[length++] = atoi(id + 7);
  length += sprintf((char *)bytes + length, "%s", secret);
  for (challenge += 9; length < sizeof bytes && sscanf(challenge, "%2x", &byte) == 1; challenge += 2) bytes[length++] = byte;
  EVP_Digest(bytes, length, hash, &length, EVP_md5(), NULL);
  for (unsigned int i = 0; i < length; i++) response += sprintf(response, "%02x", hash[i]);
}

static void login(struct session *s, int number, char **argument) { // HOST PORT TARGET LUN [USER SECRET]
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argument[1]))};
  int one = 1;
  inet_pton(AF_INET, argument[0], &address.sin_addr);
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  s->command = 1;
  if (connect(s->fd, (struct sockaddr *)&address, sizeof address)) die("cannot connect");
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char keys[2048], response[64];
  const char *user = argument[4];
  snprintf(keys, sizeof keys, "InitiatorName=iqn.2026-11.bench:reads%d\nTargetName=%s\nSessionType=Normal\nAuthMethod=%s\n", number, argument[2], user ? "CHAP" : "None");
  login_step(s, number, 0, !user, keys);
  if (user) {
    login_step(s, number, 0, 0, "CHAP_A=5\n");
    chap(argument[5], response);
    snprintf(keys, sizeof keys, "CHAP_N=%s\nCHAP_R=0x%s\n", user, response);
    login_step(s, number, 0, 1, keys);
  }
  snprintf(keys, sizeof keys, "HeaderDigest=%s\nDataDigest=%s\nMaxRecvDataSegmentLength=262144\nMaxBurstLength=262144\n", digests ? "CRC32C" : "None", digests ? "CRC32C" : "None");
  login_step(s, number, 1, 1, keys);
  if (digests && (!strstr((char *)buffer, "HeaderDigest=CRC32C") || !strstr((char *)buffer, "DataDigest=CRC32C"))) die("the target takes no digests");
  s->left = header_size + (digests ? 4 : 0);
}

static size_t command(struct session *s, unsigned char *request, const unsigned char *cdb, uint32_t expected) {
  memset(request, 0, header_size);
  request[0] = 0x01;
  request[1] = 0xc1;                       // F, R, SIMPLE
  request[9] = lun;
  put(request + 16, s->command);
  put(request + 20, expected);
  put(request + 24, s->command++);
  put(request + 28, s->status);
  memcpy(request + 32, cdb, 16);
  if (!digests) return header_size;
  uint32_t digest = ~crc(~0u, request, header_size);
  memcpy(request + header_size, &digest, 4);
  return header_size + 4;
}

static void ask(struct session *s) {
  unsigned char requests[128 * (header_size + 4)];
  size_t length = 0;
  for (; s->running < depth && length + header_size + 4 <= sizeof requests; s->running++) {
    uint64_t lba = at_random ? next() % (capacity / blocks) * blocks : s->next_lba;
    s->next_lba = (lba + blocks) % (capacity / blocks * blocks);
    unsigned char cdb[16] = {0x28, 0, lba >> 24, lba >> 16, lba >> 8, lba, 0, blocks >> 8, blocks};
    length += command(s, requests + length, cdb, blocks * 512);
  }
  if (length) write_all(s->fd, requests, length);
}


// One command alone, before the load: its data is in buffer.
static int one(struct session *s, const unsigned char *cdb, uint32_t expected) {
  unsigned char request[header_size + 4];
  int status;
  write_all(s->fd, request, command(s, request, cdb, expected));
  do {
    read_all(s->fd, s->header, header_size + (digests ? 4 : 0));
    size_t length = get(s->header + 4) & 0xffffff;
    read_all(s->fd, buffer, length ? (length + 3) / 4 * 4 + (digests ? 4 : 0) : 0);
    status = s->header[0] == 0x21 || s->header[1] & 1 ? s->header[3] : -1;
  } while (status < 0);
  s->status = get(s->header + 24) + 1;
  return status;
}

static void begin(struct session *s, enum part part, size_t length) {
  s->part = part;
  s->left = length;
  s->got = 0;
}

static void header(struct session *s) {
  uint32_t digest = digests ? ~crc(~0u, s->header, header_size) : 0;
  if (digests && memcmp(&digest, s->header + header_size, 4)) die("a header digest is wrong");
  int opcode = s->header[0] & 0x3f;
  if (opcode != 0x25 && opcode != 0x21) die("an unexpected PDU");
  s->length = get(s->header + 4) & 0xffffff;
  s->crc = ~0u;
  s->checks = digests && s->length && segments++ % check_every == 0;
  if (opcode == 0x25 && !(s->header[1] & 1)) return;
  if (s->header[3] != 0) die("a command failed");
  s->status = get(s->header + 24) + 1;
  s->running--;
  total++;
}

static void tail(struct session *s) {
  size_t padding = -s->length & 3;
  uint32_t digest = ~crc(s->crc, s->tail, padding);
  if (s->checks && memcmp(&digest, s->tail + padding, 4)) die("a data digest is wrong");
}

static void advance(struct session *s) {
  while (s->left == 0) {
    if (s->part == HEADER) header(s), begin(s, DATA, s->length);
    else if (s->part == DATA) begin(s, TAIL, s->length ? (-s->length & 3) + (digests ? 4 : 0) : 0);
    else tail(s), begin(s, HEADER, header_size + (digests ? 4 : 0));
  }
}

static void take(struct session *s, const unsigned char *bytes, size_t count) {
  while (count > 0) {
    size_t n = s->left < count ? s->left : count;
    if (s->part == HEADER) memcpy(s->header + s->got, bytes, n);
    else if (s->part == TAIL) memcpy(s->tail + s->got, bytes, n);
    else if (s->checks) s->crc = crc(s->crc, bytes, n);
    s->got += n;
    s->left -= n;
    bytes += n;
    count -= n;
    advance(s);
  }
}

static void receive(struct session *s) {
  int drop = s->part == DATA && !s->checks;
  // With payload to drop, no more than up to its start is received.
  size_t next = s->part == TAIL ? header_size + (digests ? 4 : 0) : 0;
  size_t most = drop || blocks * 512 > 16384 ? s->left + next : sizeof buffer;
  ssize_t n = recv(s->fd, drop ? NULL : buffer, most, MSG_DONTWAIT | (drop ? MSG_TRUNC : 0));
  if (n <= 0) die("the target closed the connection");
  if (drop) s->left -= n, advance(s);
  else take(s, buffer, n);
}

int main(int count, char **argument) {
  if (count != 11 && count != 13) die("usage: reads SESSIONS DEPTH BLOCKS random|sequential none|digests SECONDS HOST PORT TARGET LUN [USER SECRET]");
  int n = atoi(argument[1]);
  depth = atoi(argument[2]);
  blocks = atoi(argument[3]);
  at_random = !strcmp(argument[4], "random");
  digests = !strcmp(argument[5], "digests");
  double seconds = atof(argument[6]);
  lun = atoi(argument[10]);
  if (n < 1 || n > most_sessions || depth < 1 || depth > 128) die("at most 64 sessions with 128 commands each");
  prepare_crc();
  struct pollfd set[most_sessions];
  for (int i = 0; i < n; i++) {
    struct session *s = &sessions[i];
    login(s, i, argument + 7);
    one(s, (unsigned char[16]){0}, 0);     // TEST UNIT READY, which takes the unit attention if there is one
    if (one(s, (unsigned char[16]){0x25}, 8)) die("READ CAPACITY failed");
    capacity = get(buffer) + 1ull;
    s->next_lba = capacity / n * i / blocks * blocks;
    set[i] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    begin(s, HEADER, header_size + (digests ? 4 : 0));
  }
  for (int i = 0; i < n; i++) ask(&sessions[i]);
  double start = now() + seconds / 10;     // after a run-up
  uint64_t before = 0;
  int counting = 0;
  for (;;) {
    double time = now();
    if (!counting && time >= start) before = total, start = time, counting = 1;
    else if (counting && time >= start + seconds) {
      printf("%.0f\n", (total - before) / (time - start));
      return 0;
    }
    if (poll(set, n, 1000) <= 0) die("no answer for a second");
    for (int i = 0; i < n; i++) {
      if (!set[i].revents) continue;
      receive(&sessions[i]);
      ask(&sessions[i]);
    }
  }
}
