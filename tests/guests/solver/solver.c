/* The sun and its four largest planets, step by step: energy before and after on standard output.
 * The number of steps is on standard input; nothing there means STEPS. */

#include <math.h>
#include <stdio.h>

#define BODIES 5
#define STEPS 25000
#define MOST_STEPS 100000000L
/* Length of a step in days. */
#define STEP 0.01

static const double SOLAR_MASS = 4 * 3.141592653589793 * 3.141592653589793;
static const double DAYS_OF_A_YEAR = 365.24;

struct body {
	double place[3], speed[3], mass;
};

/* Places in astronomical units, speeds per day, masses of the sun's. */
static struct body bodies[BODIES] = {
	{{0, 0, 0}, {0, 0, 0}, 1},
	{{4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01},
		{1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05},
		9.54791938424326609e-04},
	{{8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01},
		{-2.76742510726411520e-03, 4.99852801234917238e-03, 2.30417297573763929e-05},
		2.85885980666130812e-04},
	{{1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01},
		{2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05},
		4.36624404335156298e-05},
	{{1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01},
		{2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05},
		5.15138902046611451e-05},
};

/* Brings speeds and masses to years, and the whole to rest. */
static void prepare(void) {
	for (int i = 0; i < BODIES; i++) {
		bodies[i].mass *= SOLAR_MASS;
		for (int axis = 0; axis < 3; axis++)
			bodies[i].speed[axis] *= DAYS_OF_A_YEAR;
	}
	for (int axis = 0; axis < 3; axis++) {
		double momentum = 0;
		for (int i = 0; i < BODIES; i++)
			momentum += bodies[i].speed[axis] * bodies[i].mass;
		bodies[0].speed[axis] = -momentum / SOLAR_MASS;
	}
}

static double square_of_distance(const struct body *one, const struct body *other) {
	double sum = 0;
	for (int axis = 0; axis < 3; axis++) {
		double apart = one->place[axis] - other->place[axis];
		sum += apart * apart;
	}
	return sum;
}

static void advance(double time) {
	for (int i = 0; i < BODIES; i++) {
		for (int j = i + 1; j < BODIES; j++) {
			struct body *one = &bodies[i], *other = &bodies[j];
			double square = square_of_distance(one, other);
			double pull = time / (square * sqrt(square));
			for (int axis = 0; axis < 3; axis++) {
				double apart = one->place[axis] - other->place[axis];
				one->speed[axis] -= apart * other->mass * pull;
				other->speed[axis] += apart * one->mass * pull;
			}
		}
	}
	for (int i = 0; i < BODIES; i++)
		for (int axis = 0; axis < 3; axis++)
			bodies[i].place[axis] += time * bodies[i].speed[axis];
}

static double energy(void) {
	double sum = 0;
	for (int i = 0; i < BODIES; i++) {
		double square = 0;
		for (int axis = 0; axis < 3; axis++)
			square += bodies[i].speed[axis] * bodies[i].speed[axis];
		sum += 0.5 * bodies[i].mass * square;
		for (int j = i + 1; j < BODIES; j++) {
			double distance = sqrt(square_of_distance(&bodies[i], &bodies[j]));
			sum -= bodies[i].mass * bodies[j].mass / distance;
		}
	}
	return sum;
}

/* Steps that standard input asks for, or -1. */
static long wanted_steps(void) {
	long steps = 0;
	int digits = 0;
	for (int c = getchar(); c != EOF; c = getchar()) {
		if (c == '\n' && digits > 0)
			break;
		if (c < '0' || c > '9')
			return -1;
		steps = steps * 10 + (c - '0');
		digits++;
		if (steps > MOST_STEPS)
			return -1;
	}
	return digits > 0 ? steps : STEPS;
}

int main(void) {
	long steps = wanted_steps();
	if (steps < 0) {
		fprintf(stderr, "solver: standard input is no number of steps up to %ld\n", MOST_STEPS);
		return 1;
	}
	prepare();
	printf("%.9f\n", energy());
	for (long step = 0; step < steps; step++)
		advance(STEP);
	printf("%.9f\n", energy());
	return fflush(stdout) == 0 ? 0 : 1;
}
