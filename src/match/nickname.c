/*
 * nickname.c
 *		Short forms of first names that do not begin as the name does.
 *
 * Those that do, as Rob for Robert, are found without a list.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/memutils.h"

/* Names that may stand for one another, between spaces. */
static const char *const families[] = {
	" william bill billy will willie willy liam wm ",
	" robert bob bobby rob robbie bobbie bert ",
	" richard dick rick ricky rich richie dickie ",
	" john jack johnny jon jock ian jno ",
	" jonathan jon nathan jonny ",
	" james jim jimmy jamie jem jas ",
	" charles chuck charlie charley chas carl ",
	" edward ed eddie ted teddy ned edwd ",
	" theodore ted teddy theo ",
	" thomas tom tommy thos ",
	" michael mike mick mickey mikey ",
	" henry harry hank hal ",
	" harold harry hal ",
	" george geo georgie ",
	" joseph joe joey jos ",
	" joshua josh ",
	" david dave davy davey ",
	" daniel dan danny ",
	" anthony tony ant ",
	" andrew andy drew ",
	" alexander alex sandy alec alexandra sasha xander ",
	" alfred fred alf freddie ",
	" frederick fred freddie freddy fredk ",
	" francis frank fran frankie ",
	" albert bert al bertie ",
	" herbert bert herb bertie ",
	" gilbert bert gil ",
	" benjamin ben benny benj ",
	" samuel sam sammy saml ",
	" peter pete ",
	" patrick pat paddy rick ",
	" lawrence larry laurence laurie ",
	" leonard len leo lenny ",
	" gerald gerry jerry ",
	" jeremy jerry jem ",
	" walter walt wally ",
	" stephen steve steven ",
	" matthew matt ",
	" nicholas nick nicky klaus ",
	" christopher chris kit topher ",
	" kenneth ken kenny ",
	" ronald ron ronnie ",
	" donald don donnie ",
	" eugene gene ",
	" philip phil phillip pip ",
	" vincent vince vinny ",
	" zachary zach zack ",
	" arthur art artie ",
	" elizabeth liz lizzie beth betty betsy bess bessie eliza libby elsie lisa elisabeth eliz ",
	" margaret maggie meg peggy madge rita daisy greta marge margie ",
	" mary molly polly mamie may maria marie ",
	" katherine kate kathy cathy katie kitty kathryn catherine cate kath kay ",
	" catherine cathy kate katie kitty kathryn cath ",
	" anne ann anna annie nan nancy hannah ",
	" sarah sally sadie sara ",
	" jane janet jenny jean janie ",
	" jennifer jenny jen jenna ",
	" jessica jess jessie ",
	" dorothy dot dottie dolly dora ",
	" martha patty mattie ",
	" matilda tilly mattie ",
	" patricia pat patty trish tricia patsy ",
	" susan sue susie suzanne susannah ",
	" rebecca becky becca ",
	" barbara barb babs ",
	" deborah deb debbie debra ",
	" frances fran fanny frankie francie ",
	" helen nell nellie ellen lena elena ",
	" eleanor nell nellie ellie nora elinor lena ",
	" ellen nell nellie helen ",
	" florence flo flossie ",
	" victoria vicky vicki tori ",
	" virginia ginny ginger ",
	" abigail abby gail ",
	" alice allie elsie ",
	" amelia amy millie emily ",
	" emily emmy millie em ",
	" mildred millie ",
	" caroline carrie carol lina ",
	" charlotte lottie charlie ",
	" christina tina chris christine chrissie ",
	" henrietta hattie etta harriet ",
	" harriet hattie ",
	" isabella bella isabel izzy belle ",
	" josephine jo josie ",
	" judith judy ",
	" kimberly kim ",
	" lucille lucy ",
	" samantha sam sammy ",
	" stephanie steph ",
	" theresa terry tess tessa teresa ",
	" pamela pam ",
	" cynthia cindy ",
	" sandra sandy alexandra ",
	" veronica ronnie ",
	" winifred winnie freda ",
	" wilhelmina minnie mina willa ",
	" johann hans johannes jan ",
	" jose pepe ",
	" franz francis frank ",
};

StaticAssertDecl(lengthof(families) <= 128, "families fit into 128 bits");

typedef struct ShortName
{
	const char *start;
	int length;
	int family;
} ShortName;

/* All names, sorted, made when first asked for. */
static ShortName *names = NULL;
static int n_names = 0;

static int
compare_names(const void *a, const void *b)
{
	const ShortName *x = a;
	const ShortName *y = b;
	int order = strncmp(x->start, y->start, Min(x->length, y->length));

	if (order != 0)
		return order;
	return x->length - y->length;
}

static void
make_names(void)
{
	int capacity = 0;

	for (int i = 0; i < (int) lengthof(families); i++)
		capacity += strlen(families[i]);
	names = MemoryContextAlloc(TopMemoryContext, capacity * sizeof(ShortName));
	for (int i = 0; i < (int) lengthof(families); i++)
	{
		const char *at = families[i] + 1;

		while (*at != '\0')
		{
			ShortName *name = &names[n_names++];

			name->start = at;
			name->length = strchr(at, ' ') - at;
			name->family = i;
			at += name->length + 1;
		}
	}
	qsort(names, n_names, sizeof(ShortName), compare_names);
}

/* Two names are of one person perhaps if they have a family in common. */
void
nickname_families(const char *name, uint64 result[2])
{
	ShortName asked = { name, strlen(name), 0 };
	int low = 0;
	int high;

	if (names == NULL)
		make_names();
	result[0] = result[1] = 0;
	high = n_names;
	while (low < high)
	{
		int middle = (low + high) / 2;

		if (compare_names(&names[middle], &asked) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n_names && compare_names(&names[low], &asked) == 0; low++)
		result[names[low].family / 64] |= UINT64CONST(1)
			<< (names[low].family % 64);
}
