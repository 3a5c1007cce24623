/*
 * nickname.c
 *		Short forms of first names that do not begin as the name does.
 *
 * Those that do, as Rob for Robert, are found without a list.
 */
#include "postgres.h"

#include "match/match.h"

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

static bool
in_family(const char *family, const char *name, int length)
{
	for (const char *at = strstr(family, name); at != NULL;
		 at = strstr(at + 1, name))
	{
		if (at > family && at[-1] == ' ' && at[length] == ' ')
			return true;
	}
	return false;
}

/* Both end in a zero. */
bool
is_nickname(const char *a, int a_length, const char *b, int b_length)
{
	if (a_length < 2 || b_length < 2)
		return false;
	for (int i = 0; i < (int) lengthof(families); i++)
	{
		if (in_family(families[i], a, a_length) &&
			in_family(families[i], b, b_length))
			return true;
	}
	return false;
}
