# The one source list, read by Makefile (PGXS) and CMakeLists.txt. One file a line, sorted within its room.

CORE_SOURCES = \
	src/core/archive/ready_files.cpp \
	src/core/archive/wal_archiver.cpp \
	src/core/archive/wal_push.cpp \
	src/core/base/bytes.cpp \
	src/core/base/clock.cpp \
	src/core/base/error.cpp \
	src/core/base/file.cpp \
	src/core/base/log.cpp \
	src/core/base/parallel.cpp \
	src/core/codec/compression.cpp \
	src/core/crypto/digest.cpp \
	src/core/postgres/backup_label.cpp \
	src/core/postgres/configuration.cpp \
	src/core/postgres/crc32c.cpp \
	src/core/postgres/lsn.cpp \
	src/core/postgres/page.cpp \
	src/core/postgres/pg_control.cpp \
	src/core/postgres/pg_version.cpp \
	src/core/postgres/relation_file.cpp \
	src/core/postgres/timeline.cpp \
	src/core/postgres/wal_name.cpp \
	src/core/postgres/wal_reader.cpp \
	src/core/postgres/wal_record.cpp \
	src/core/protocol/frame.cpp \
	src/core/protocol/messages.cpp \
	src/core/repository/backup_summary.cpp \
	src/core/repository/catalog.cpp \
	src/core/repository/layout.cpp \
	src/core/repository/object.cpp \
	src/core/repository/repository.cpp \
	src/core/settings/settings.cpp \
	src/core/storage/directory_tree.cpp \
	src/core/storage/file_listing.cpp \
	src/core/storage/file_object_error.cpp \
	src/core/storage/file_storage.cpp \
	src/core/storage/file_upload.cpp \
	src/core/storage/memory_storage.cpp \
	src/core/storage/retry_storage.cpp \
	src/core/storage/storage.cpp \
	src/core/storage/storage_url.cpp
