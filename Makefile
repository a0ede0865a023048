# The server module, the program and the extension's files for one PostgreSQL major, with PGXS.
#
#   make PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config      all of them
#   make install                                             module, program, control file and script
#   make installcheck                                        SQL tests against a running server that preloads the module
#   make boundary-test                                       the module for the test of the language boundary, never installed
#   make check-rules                                         the rules of the architecture
#
# What does not depend on the major (core, program, script) is built once below $(BUILD) and used for every major.
# Another compiler needs another BUILD. Unit tests, sanitizers and benchmarks are CMake's: see CMakeLists.txt.

BUILD ?= build
OPTIMIZE ?= -O2 -g
PG_CONFIG ?= pg_config

include sources.mk

EXTENSION = pg_steward
# default_version in the control file is the one place that holds the version.
STEWARD_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(EXTENSION).control)
MAJOR := $(shell $(PG_CONFIG) --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
ifeq ($(MAJOR),)
$(error "$(PG_CONFIG)" does not run: pass PG_CONFIG=/usr/lib/postgresql/N/bin/pg_config)
endif

CORE_BUILD = $(BUILD)/core
SERVER_BUILD = $(BUILD)/pgxs-$(MAJOR)
CORE_LIBRARY = $(CORE_BUILD)/libsteward_core.a
STEWARD_PROGRAM = $(CORE_BUILD)/pg_steward
EXTENSION_SCRIPT = $(BUILD)/sql/$(EXTENSION)--$(STEWARD_VERSION).sql

CORE_OBJECTS = $(CORE_SOURCES:%.cpp=$(CORE_BUILD)/%.o)
PROGRAM_OBJECTS = $(PROGRAM_SOURCES:%.cpp=$(CORE_BUILD)/%.o)
SERVER_OBJECTS = $(SERVER_SOURCES:%.cpp=$(SERVER_BUILD)/%.o)
# DLSUFFIX is known after PGXS: expanded late.
BOUNDARY_TEST = $(SERVER_BUILD)/steward_boundary_test$(DLSUFFIX)
BOUNDARY_TEST_OBJECTS = $(SERVER_BUILD)/test/boundary/boundary_functions.o $(SERVER_BUILD)/src/server/boundary.o

# PGXS. Its flags for C are not used: this is C++, and core must not see the server's headers. It assigns short names
# of its own (VERSION, INSTALL_SCRIPT): the names above must not be among them.
MODULES = $(SERVER_BUILD)/pg_steward
DATA_built = $(EXTENSION_SCRIPT)
REGRESS = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_OUTPUT ?= $(BUILD)/regress-$(MAJOR)
REGRESS_OPTS = --inputdir=test --outputdir=$(REGRESS_OUTPUT) --load-extension=$(EXTENSION)
EXTRA_CLEAN = $(CORE_BUILD) $(SERVER_BUILD) $(BUILD)/sql $(BUILD)/regress-$(MAJOR)
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

STEWARD_CXXFLAGS = -std=c++20 -fPIC -fvisibility=hidden $(OPTIMIZE) -pthread \
	-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -MMD -MP
STEWARD_DEFINES = -DFMT_HEADER_ONLY -DXXH_INLINE_ALL -DSTEWARD_VERSION='"$(STEWARD_VERSION)"'
# PostgreSQL 15 marks nothing for export: with hidden visibility the server would not find the module's functions.
SERVER_DEFINES = '-DPGDLLEXPORT=__attribute__((visibility("default")))'
# System headers: C++ warnings in them are not ours to cure, and C++20 refuses some of the C they use.
SERVER_INCLUDES = -isystem $(shell $(PG_CONFIG) --includedir-server)
STEWARD_LIBRARIES = -lzstd -lcrypto -lisal -ldate-tz
# What only the program uses: the module builds without it.
PROGRAM_LIBRARIES = -lidn

all: $(STEWARD_PROGRAM)

# A new version or new flags reach every object.
$(CORE_OBJECTS) $(PROGRAM_OBJECTS) $(SERVER_OBJECTS) $(BOUNDARY_TEST_OBJECTS): Makefile $(EXTENSION).control

$(CORE_BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(STEWARD_CXXFLAGS) $(STEWARD_DEFINES) -Isrc -c -o $@ $<

$(SERVER_BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(STEWARD_CXXFLAGS) $(STEWARD_DEFINES) $(SERVER_DEFINES) -Isrc $(SERVER_INCLUDES) -c -o $@ $<

# Made from nothing each time: "ar" would keep the objects of files that are gone.
$(CORE_LIBRARY): $(CORE_OBJECTS) sources.mk
	rm -f $@
	$(AR) rcs $@ $(CORE_OBJECTS)

$(STEWARD_PROGRAM): $(PROGRAM_OBJECTS) $(CORE_LIBRARY)
	$(CXX) -pthread -o $@ $(PROGRAM_OBJECTS) $(CORE_LIBRARY) -Wl,--as-needed $(STEWARD_LIBRARIES) $(PROGRAM_LIBRARIES) -Wl,-z,relro,-z,now

# The server resolves what is undefined here when it loads the module. Core's symbols stay inside, so that no other
# module's can take their place.
$(SERVER_BUILD)/pg_steward$(DLSUFFIX): $(SERVER_OBJECTS) $(CORE_LIBRARY)
	$(CXX) -shared -pthread -o $@ $(SERVER_OBJECTS) $(CORE_LIBRARY) -Wl,--exclude-libs,ALL \
		-Wl,--as-needed $(STEWARD_LIBRARIES) -Wl,-z,relro,-z,now
	@if nm -D --undefined-only --demangle $@ | grep 'steward::'; then \
		echo '$@ lacks these: is a file missing in SERVER_SOURCES?' >&2; exit 1; fi

# A module of its own with the boundary of the real one: the same flags and the same object.
boundary-test: $(BOUNDARY_TEST)
$(BOUNDARY_TEST): $(BOUNDARY_TEST_OBJECTS) $(CORE_LIBRARY)
	$(CXX) -shared -pthread -o $@ $(BOUNDARY_TEST_OBJECTS) $(CORE_LIBRARY) -Wl,--exclude-libs,ALL \
		-Wl,--as-needed $(STEWARD_LIBRARIES) -Wl,-z,relro,-z,now

$(EXTENSION_SCRIPT): $(SQL_AREAS) Makefile sources.mk $(EXTENSION).control
	@mkdir -p $(@D)
	{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; $(if $(SQL_AREAS),cat $(SQL_AREAS);) } >$@

install: install-program
install-program: $(STEWARD_PROGRAM) installdirs-program
	$(INSTALL_PROGRAM) $(STEWARD_PROGRAM) '$(DESTDIR)$(bindir)/pg_steward'
installdirs-program:
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
# PGXS would look for the module in a directory named like the one it was built in.
uninstall: uninstall-program
uninstall-program:
	rm -f '$(DESTDIR)$(bindir)/pg_steward' '$(DESTDIR)$(pkglibdir)/pg_steward$(DLSUFFIX)'

installcheck: regress-output
regress-output:
	@mkdir -p $(REGRESS_OUTPUT)

# The benchmarks' own programs, for the scripts in bench/.
BENCH_PROGRAMS = $(patsubst bench/native/%.cpp,$(CORE_BUILD)/bench/%,$(wildcard bench/native/*.cpp))
bench-programs: $(BENCH_PROGRAMS)
$(CORE_BUILD)/bench/%: bench/native/%.cpp $(CORE_LIBRARY) Makefile
	@mkdir -p $(@D)
	$(CXX) $(STEWARD_CXXFLAGS) $(STEWARD_DEFINES) -Isrc -MF $@.d -o $@ $< $(CORE_LIBRARY) -Wl,--as-needed -lbenchmark $(STEWARD_LIBRARIES)

check-rules: $(CORE_LIBRARY)
	tools/check-rules --library $(CORE_LIBRARY)

# For a caller that builds several majors at once: what they share, first.
shared: $(STEWARD_PROGRAM) $(EXTENSION_SCRIPT)

.DELETE_ON_ERROR:
.PHONY: install-program installdirs-program uninstall-program regress-output boundary-test bench-programs check-rules shared

-include $(CORE_OBJECTS:.o=.d) $(PROGRAM_OBJECTS:.o=.d) $(SERVER_OBJECTS:.o=.d) $(BOUNDARY_TEST_OBJECTS:.o=.d) $(BENCH_PROGRAMS:=.d)
