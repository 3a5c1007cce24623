# personalize: build, install, test and show.  `make help` lists the targets.
#
# PG_CONFIG selects the PostgreSQL to build for:
#     make PG_CONFIG=/usr/lib/postgresql/16/bin/pg_config
#
# The targets in HOUSE work before PostgreSQL is installed (they install it),
# so they must not need PGXS while this file is read.  All others are PGXS's.

HOUSE = help prepare check demo bench golden format docs

SOURCES = $(sort $(wildcard src/*.c src/*/*.c))
ALL_HEADERS = $(sort $(wildcard src/*.h src/*/*.h))

ifneq ($(filter $(HOUSE),$(MAKECMDGOALS)),)

.PHONY: $(MAKECMDGOALS)
.NOTPARALLEL:

help:
	@.ci/help

prepare:
	@.ci/prepare check

check:
	@.ci/check

demo:
	@.ci/demo

bench:
	@.ci/bench

golden:
	@.ci/golden

docs:
	@.ci/docs

format:
	@command -v clang-format >/dev/null || \
		{ echo 'make format needs clang-format (Debian package clang-format)' >&2; exit 1; }
	clang-format -i $(SOURCES) $(ALL_HEADERS)

# what stands beside them on the command line, as in `make clean check`
$(filter-out $(HOUSE),$(MAKECMDGOALS)):
	+@$(MAKE) --no-print-directory $@

else

EXTENSION = personalize
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" personalize.control)
MODULE_big = personalize
OBJS = $(SOURCES:.c=.o)

SQL_PARTS = $(sort $(wildcard sql/*.sql))
DATA_built = personalize--$(EXTVERSION).sql
DATA = $(sort $(wildcard sql/upgrade/*.sql))

# Every warning of -Wall -Wextra is an error, but for the one that PostgreSQL's
# own headers and callback signatures give rise to: parameters left unused.
# Another compiler may see what ours does not: `make WERROR=` goes on all the same.
WERROR = -Werror
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter $(WERROR)
# Nothing here reads errno after a mathematical function; without it they inline,
# and loops around them vectorise.
PG_CFLAGS += -ftree-vectorize -fno-math-errno
# Sums are exact because each product and each sum is rounded by itself.  Where
# the machine has an instruction for both at once, GCC would use it.
PG_CFLAGS += -ffp-contract=off
PG_CPPFLAGS = -I$(srcdir)/src

# Before PostgreSQL 16 every function of a module is exported, and one of the
# same name in a library that the server has loaded would take its place.
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,-Bsymbolic
endif

# No LLVM bitcode: it would need clang, and only lets the JIT inline our functions.
override with_llvm := no

# Regression tests: test/sql with test/expected, isolation tests: test/specs.
# What they write goes to OUTPUT_DIR, never beside the sources.
REGRESS = $(basename $(notdir $(sort $(wildcard test/sql/*.sql))))
SPECS = $(basename $(notdir $(sort $(wildcard test/specs/*.spec))))
ifneq ($(SPECS),)
ISOLATION = $(SPECS)
endif
OUTPUT_DIR = tmp_check
# before 16 the expected files are looked for in the input directory
EXPECTED_DIR = $(if $(filter-out 13 14 15,$(MAJORVERSION)),--expecteddir=test)
REGRESS_OPTS = --inputdir=test $(EXPECTED_DIR) --outputdir='$(OUTPUT_DIR)'
ISOLATION_OPTS = --inputdir=test $(EXPECTED_DIR) --outputdir='$(OUTPUT_DIR)/isolation'
REGRESS_PREP = output-dir

EXTRA_CLEAN = tmp_check .build-config .build-config.new $(wildcard personalize--*.sql) \
	$(wildcard src/*.o src/*/*.o src/*.bc src/*/*.bc)

PG_CONFIG = pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(wildcard $(PGXS)),)
$(error no build files of a PostgreSQL server by PG_CONFIG=$(PG_CONFIG); \
	on Debian `make prepare` installs them, elsewhere set PG_CONFIG)
endif
include $(PGXS)

# Simple and correct: any header, and any change of server or options, rebuilds all.
$(OBJS): $(ALL_HEADERS) .build-config

.build-config: FORCE
	@$(file >$@.new,$(VERSION) $(CC) $(CPPFLAGS) $(CFLAGS) $(OBJS) $(SQL_PARTS)) \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(shlib): .build-config

$(DATA_built): $(SQL_PARTS) personalize.control .build-config
	@echo 'building $@ from $(words $(SQL_PARTS)) parts'
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION personalize" to load this file. \quit'; \
	   for part in $(SQL_PARTS); do printf '\n-- %s\n\n' "$$part"; awk 1 "$$part"; done; } >$@.new
	@mv $@.new $@

output-dir:
	@$(MKDIR_P) '$(OUTPUT_DIR)' '$(OUTPUT_DIR)/isolation'

.PHONY: FORCE output-dir
FORCE:

endif
