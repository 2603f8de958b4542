/* Size, CRC-32, Adler-32 and SHA-256 of standard input, one line each on standard output. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ADLER_MODULUS 65521u
/* Most bytes that can be summed before the 32-bit Adler sums have to be reduced. */
#define ADLER_RUN 5552u

static uint32_t crc_table[256];

static void crc_init(void) {
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t value = byte;
		for (int bit = 0; bit < 8; bit++)
			value = (value >> 1) ^ (0xEDB88320u & (0u - (value & 1u)));
		crc_table[byte] = value;
	}
}

static uint32_t crc_update(uint32_t crc, const uint8_t *data, size_t length) {
	for (size_t i = 0; i < length; i++)
		crc = (crc >> 8) ^ crc_table[(crc ^ data[i]) & 0xFFu];
	return crc;
}

struct adler {
	uint32_t low, high;
};

static void adler_update(struct adler *sum, const uint8_t *data, size_t length) {
	while (length > 0) {
		size_t run = length < ADLER_RUN ? length : ADLER_RUN;
		for (size_t i = 0; i < run; i++) {
			sum->low += data[i];
			sum->high += sum->low;
		}
		sum->low %= ADLER_MODULUS;
		sum->high %= ADLER_MODULUS;
		data += run;
		length -= run;
	}
}

static const uint32_t sha_round[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};

static uint32_t rotate(uint32_t value, int by) {
	return (value >> by) | (value << (32 - by));
}

static void sha_block(struct sha256 *sha, const uint8_t *block) {
	uint32_t w[64], s[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			(uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
		uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
	memcpy(s, sha->state, sizeof s);
	for (int i = 0; i < 64; i++) {
		uint32_t e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t one = s[7] + e + choice + sha_round[i] + w[i];
		uint32_t a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		memmove(s + 1, s, 7 * sizeof s[0]);
		s[4] += one;
		s[0] = one + a + majority;
	}
	for (int i = 0; i < 8; i++)
		sha->state[i] += s[i];
}

static void sha_update(struct sha256 *sha, const uint8_t *data, size_t length) {
	while (length > 0) {
		size_t used = sha->length % 64, take = 64 - used;
		if (take > length)
			take = length;
		memcpy(sha->block + used, data, take);
		sha->length += take;
		data += take;
		length -= take;
		if (sha->length % 64 == 0)
			sha_block(sha, sha->block);
	}
}

static void sha_finish(struct sha256 *sha) {
	uint64_t bits = sha->length * 8;
	uint8_t end[8];
	for (int i = 0; i < 8; i++)
		end[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha_update(sha, (const uint8_t *)"\x80", 1);
	while (sha->length % 64 != 56)
		sha_update(sha, (const uint8_t *)"", 1);
	sha_update(sha, end, sizeof end);
}

int main(void) {
	static uint8_t buffer[64 * 1024];
	struct sha256 sha = {
		{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
		0,
		{0},
	};
	struct adler adler = {1, 0};
	uint32_t crc = 0xFFFFFFFFu;
	uint64_t size = 0;
	size_t got;

	crc_init();
	while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
		size += got;
		crc = crc_update(crc, buffer, got);
		adler_update(&adler, buffer, got);
		sha_update(&sha, buffer, got);
	}
	if (ferror(stdin)) {
		fputs("checksum: standard input cannot be read\n", stderr);
		return 1;
	}
	sha_finish(&sha);
	printf("size %llu\n", (unsigned long long)size);
	printf("crc32 %08x\n", (unsigned)~crc);
	printf("adler32 %08x\n", (unsigned)(adler.high << 16 | adler.low));
	fputs("sha256 ", stdout);
	for (int i = 0; i < 8; i++)
		printf("%08x", (unsigned)sha.state[i]);
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 1;
}
