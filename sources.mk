# The one source list, read by Makefile (PGXS) and CMakeLists.txt. One file a line, sorted within its room.

CORE_SOURCES = \
	src/core/base/bytes.cpp \
	src/core/base/clock.cpp \
	src/core/base/error.cpp \
	src/core/base/file.cpp \
	src/core/base/log.cpp \
	src/core/base/parallel.cpp
