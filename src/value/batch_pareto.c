/*
 * batch_pareto.c
 *		Log likelihood of a sample under Pareto/NBD.
 *
 * For a customer (D. Schmittlein, D. Morrison and R. Colombo 1987; P. Fader
 * and B. Hardie 2005) it is, before the integral is turned into functions 2F1,
 *
 *		Gamma(r + x) / Gamma(r) alpha^-x
 *			[ (1 + T/alpha)^-(r + x) (1 + T/beta)^-s + S(t_x) - S(T) ]
 *
 *		S(t) = integral from t to the latest time in the group of
 *			s/beta (1 + u/alpha)^-(r + x) (1 + u/beta)^-(s + 1) du
 *
 * S of all times of a group is added up over the pieces between them by
 * Gauss-Legendre quadrature, its derivatives along with it: a customer then
 * costs three exponentials, where each 2F1 and each of its derivatives would
 * be a series.  Nothing is lost by the subtraction, because the first term is
 * larger than S(T).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "value/value.h"

/* A rule for how difficult a piece may be, in the sense of difficulty(). */
typedef struct Quadrature
{
	double difficulty;
	int n;
	double nodes[16][2]; /* on (0, 1), with their weights */
} Quadrature;

/*
 * The limits keep the error term of each rule, that with the 2n-th derivative,
 * below 1e-13 of the integral.
 */
static const Quadrature quadratures[] = {
	{ 0.4,
	  4,
	  { { 0.0694318442029737124, 0.173927422568726929 },
		{ 0.330009478207571868, 0.326072577431273071 },
		{ 0.669990521792428132, 0.326072577431273071 },
		{ 0.930568155797026288, 0.173927422568726929 } } },
	{ 3.5,
	  8,
	  { { 0.0198550717512318842, 0.0506142681451881296 },
		{ 0.10166676129318663, 0.111190517226687235 },
		{ 0.237233795041835507, 0.156853322938943644 },
		{ 0.408282678752175098, 0.181341891689180991 },
		{ 0.591717321247824902, 0.181341891689180991 },
		{ 0.762766204958164493, 0.156853322938943644 },
		{ 0.89833323870681337, 0.111190517226687235 },
		{ 0.980144928248768116, 0.0506142681451881296 } } },
	{ 12,
	  16,
	  { { 0.0052995325041750337, 0.0135762297058770474 },
		{ 0.027712488463383712, 0.0311267619693239464 },
		{ 0.0671843988060841281, 0.0475792558412463924 },
		{ 0.122297795822498483, 0.062314485627766936 },
		{ 0.191061877798678126, 0.074797994408288366 },
		{ 0.270991611171386307, 0.0845782596975012691 },
		{ 0.359198224610370543, 0.0913017075224617944 },
		{ 0.45249374508118128, 0.0947253052275342481 },
		{ 0.54750625491881872, 0.0947253052275342481 },
		{ 0.640801775389629457, 0.0913017075224617944 },
		{ 0.729008388828613693, 0.0845782596975012691 },
		{ 0.808938122201321874, 0.074797994408288366 },
		{ 0.877702204177501517, 0.062314485627766936 },
		{ 0.932815601193915872, 0.0475792558412463924 },
		{ 0.972287511536616288, 0.0311267619693239464 },
		{ 0.994700467495824966, 0.0135762297058770474 } } },
};

#define NQUADRATURES ((int) lengthof(quadratures))

/* Beyond this fall from its highest value the integrand adds nothing. */
#define NEGLIGIBLE 60

/* Of a time t, or averages over the integrand. */
typedef struct Means
{
	double log_alpha;	/* ln(1 + t/alpha) */
	double share_alpha; /* t / (alpha + t) */
	double log_beta;
	double share_beta;
} Means;

/* What is kept of a point of a group; S here is S(t). */
typedef struct Point
{
	double log_alpha;
	double log_beta;
	double log_alive; /* ln of the first term */
	double log_S;
	Means S;
} Point;

StaticAssertDecl(sizeof(Point) <= FIT_SCRATCH * sizeof(double),
				 "points fit into the scratch space");

/* The integrand of a group. */
typedef struct Integrand
{
	double alpha;
	double beta;
	double power_alpha; /* r + x */
	double power_beta;	/* s + 1 */
	double factor;		/* ln(s/beta) */
} Integrand;

/* Sums over the rows of a group, each mean weighted by the row's parts. */
typedef struct GroupSums
{
	double log_likelihood; /* of what stands in brackets */
	double left;		   /* weight times share of S(t_x) - S(T) */
	double left_share;	   /* share_beta of that part alone */
	Means all;
} GroupSums;

static inline void
means_at(const Integrand *f, double t, Means *means)
{
	means->log_alpha = log1p(t / f->alpha);
	means->share_alpha = t / (f->alpha + t);
	means->log_beta = log1p(t / f->beta);
	means->share_beta = t / (f->beta + t);
}

static inline double
log_integrand(const Integrand *f, const Means *at)
{
	return f->factor - f->power_alpha * at->log_alpha -
		f->power_beta * at->log_beta;
}

static inline void
means_add(Means *sum, double weight, const Means *means)
{
	sum->log_alpha += weight * means->log_alpha;
	sum->share_alpha += weight * means->share_alpha;
	sum->log_beta += weight * means->log_beta;
	sum->share_beta += weight * means->share_beta;
}

/*
 * For a unit of time after t: how often the integrand falls by e, and how near
 * its closest singularity is.
 */
static inline double
difficulty(const Integrand *f, double t)
{
	return f->power_alpha / (f->alpha + t) + f->power_beta / (f->beta + t) +
		8 / (Min(f->alpha, f->beta) + t);
}

/* Adds the integral over a length from `from`, divided by exp(base). */
static double
add_piece(const Integrand *f, double from, double length, int rule, double base,
		  Means *sums)
{
	const Quadrature *quadrature = &quadratures[rule];
	double total = 0;

	for (int i = 0; i < quadrature->n; i++)
	{
		Means at;
		double part;

		means_at(f, from + length * quadrature->nodes[i][0], &at);
		part = length * quadrature->nodes[i][1] *
			exp(log_integrand(f, &at) - base);
		means_add(sums, part, &at);
		total += part;
	}
	return total;
}

/* ln of the integral between two times, and the means over it. */
static double
integrate(const Integrand *f, double from, double to, Means *means)
{
	const double hardest = quadratures[NQUADRATURES - 1].difficulty;
	Means sums = { 0 };
	Means at;
	double total = 0;
	double base;
	double t = from;

	means_at(f, from, &at);
	base = log_integrand(f, &at);
	for (;;)
	{
		double slope = difficulty(f, t);
		double length = Min(to - t, hardest / slope);
		int rule = 0;

		while (rule < NQUADRATURES - 1 &&
			   length * slope > quadratures[rule].difficulty)
			rule++;
		total += add_piece(f, t, length, rule, base, &sums);
		if (length >= to - t)
			break;
		t += length;
		means_at(f, t, &at);
		if (log_integrand(f, &at) < base - NEGLIGIBLE)
			break;
	}
	memset(means, 0, sizeof(*means));
	means_add(means, 1 / total, &sums);
	return base + log(total);
}

/* S(t) of a point, from that of the next one. */
static void
add_up(Point *point, const Point *next, double log_piece, const Means *piece)
{
	double ratio = exp(-fabs(next->log_S - log_piece));
	double share = (next->log_S > log_piece ? 1 : ratio) / (1 + ratio);

	point->log_S = Max(next->log_S, log_piece) + log1p(ratio);
	memset(&point->S, 0, sizeof(point->S));
	means_add(&point->S, share, &next->S);
	means_add(&point->S, 1 - share, piece);
}

static const Point *
tabulate(const FitSet *set, const FitGroup *group, const Integrand *f)
{
	const double *times = group_points(set, group);
	Point *points = (Point *) set->scratch;

	for (int64 i = group->npoints - 1; i >= 0; i--)
	{
		Point *point = &points[i];

		point->log_alpha = log1p(times[i] / f->alpha);
		point->log_beta = log1p(times[i] / f->beta);
		point->log_alive = -f->power_alpha * point->log_alpha -
			(f->power_beta - 1) * point->log_beta;
		if (i == group->npoints - 1)
		{
			point->log_S = -INFINITY;
			memset(&point->S, 0, sizeof(point->S));
		}
		else
		{
			Means piece;
			double log_piece = integrate(f, times[i], times[i + 1], &piece);

			add_up(point, point + 1, log_piece, &piece);
		}
	}
	return points;
}

static void
sum_rows(const FitSet *set, const FitGroup *group, const Integrand *f,
		 const Point *points, GroupSums *sums)
{
	const double *times = group_points(set, group);

	for (int64 i = group->first; i < group->first + group->n; i++)
	{
		double weight = set->weights[i];
		double T = times[set->T[i]];
		const Point *at_t_x = &points[set->t_x[i]];
		const Point *at_T = &points[set->T[i]];
		double base = Max(at_T->log_alive, at_t_x->log_S);
		double alive = exp(at_T->log_alive - base);
		double since = exp(at_t_x->log_S - base);
		double after = exp(at_T->log_S - base);
		double total = alive + (since - after);
		double scale = weight / total;
		Means means = { at_T->log_alpha, T / (f->alpha + T), at_T->log_beta,
						T / (f->beta + T) };

		sums->log_likelihood += weight * (base + log(total));
		sums->left += scale * (since - after);
		sums->left_share +=
			scale * (since * at_t_x->S.share_beta - after * at_T->S.share_beta);
		means_add(&sums->all, scale * alive, &means);
		means_add(&sums->all, scale * since, &at_t_x->S);
		means_add(&sums->all, -scale * after, &at_T->S);
	}
}

double
pareto_nbd_log_likelihood_sum(const FitSet *set, const double *params,
							  double *gradient)
{
	double r = params[0];
	double s = params[2];
	Integrand f = { .alpha = params[1],
					.beta = params[3],
					.power_beta = s + 1,
					.factor = log(s / params[3]) };
	Rising purchases = { .start = r };
	double total = 0;

	for (int i = 0; i < set->ngroups; i++)
	{
		const FitGroup *group = &set->groups[i];
		double x = group->x;
		double weight = group->weight;
		GroupSums sums = { 0 };

		CHECK_FOR_INTERRUPTS();
		rising_advance(&purchases, x);
		f.power_alpha = r + x;
		sum_rows(set, group, &f, tabulate(set, group, &f), &sums);

		total +=
			sums.log_likelihood + weight * (purchases.value - x * log(f.alpha));
		if (gradient == NULL)
			continue;
		gradient[0] += r * (weight * purchases.slope - sums.all.log_alpha);
		gradient[1] += (r + x) * sums.all.share_alpha - weight * x;
		gradient[2] += sums.left - s * sums.all.log_beta;
		gradient[3] += s * sums.all.share_beta + sums.left_share - sums.left;
	}
	return total;
}
