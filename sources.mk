# The one source list, read by Makefile (PGXS) and CMakeLists.txt. One file a line, sorted within its room.

CORE_SOURCES = \
	src/core/archive/ready_files.cpp \
	src/core/archive/wal_archiver.cpp \
	src/core/archive/wal_push.cpp \
	src/core/backup/base_backup.cpp \
	src/core/backup/copy.cpp \
	src/core/backup/copy_worker.cpp \
	src/core/backup/increment.cpp \
	src/core/backup/increment_base.cpp \
	src/core/backup/manifest.cpp \
	src/core/backup/pack_store.cpp \
	src/core/backup/pack_writer.cpp \
	src/core/backup/page_check.cpp \
	src/core/backup/page_table.cpp \
	src/core/backup/plan.cpp \
	src/core/backup/rate_limit.cpp \
	src/core/backup/scan.cpp \
	src/core/backup/wal_wait.cpp \
	src/core/base/bytes.cpp \
	src/core/base/clock.cpp \
	src/core/base/error.cpp \
	src/core/base/file.cpp \
	src/core/base/format.cpp \
	src/core/base/log.cpp \
	src/core/base/parallel.cpp \
	src/core/codec/compression.cpp \
	src/core/crypto/digest.cpp \
	src/core/crypto/xxh3_avx2.cpp \
	src/core/postgres/backup_label.cpp \
	src/core/postgres/configuration.cpp \
	src/core/postgres/connection_string.cpp \
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
	src/core/postgres/wal_summary.cpp \
	src/core/protocol/frame.cpp \
	src/core/protocol/messages.cpp \
	src/core/repository/backup_summary.cpp \
	src/core/repository/catalog.cpp \
	src/core/repository/layout.cpp \
	src/core/repository/object.cpp \
	src/core/repository/object_range.cpp \
	src/core/repository/repository.cpp \
	src/core/restore/backup_manifest.cpp \
	src/core/restore/choose_backup.cpp \
	src/core/restore/content_comparison.cpp \
	src/core/restore/recovery_target.cpp \
	src/core/restore/repository_facts.cpp \
	src/core/restore/restore.cpp \
	src/core/restore/restore_plan.cpp \
	src/core/restore/restore_progress.cpp \
	src/core/restore/surplus.cpp \
	src/core/restore/target_directory.cpp \
	src/core/restore/target_proof.cpp \
	src/core/restore/unpack.cpp \
	src/core/restore/verify.cpp \
	src/core/restore/wal_fetch.cpp \
	src/core/restore/wal_get.cpp \
	src/core/restore/wal_inventory.cpp \
	src/core/restore/wal_scan.cpp \
	src/core/restore/wal_spool.cpp \
	src/core/retention/backup_rules.cpp \
	src/core/retention/backup_state.cpp \
	src/core/retention/calendar_period.cpp \
	src/core/retention/explain_expiry.cpp \
	src/core/retention/pack_rules.cpp \
	src/core/retention/plan_expiry.cpp \
	src/core/retention/policy.cpp \
	src/core/retention/wal_needs.cpp \
	src/core/retention/wal_rules.cpp \
	src/core/schedule/next_run.cpp \
	src/core/schedule/plan_runs.cpp \
	src/core/schedule/schedule.cpp \
	src/core/schedule/time_zone.cpp \
	src/core/settings/settings.cpp \
	src/core/storage/directory_tree.cpp \
	src/core/storage/file_listing.cpp \
	src/core/storage/file_object_error.cpp \
	src/core/storage/file_storage.cpp \
	src/core/storage/file_upload.cpp \
	src/core/storage/file_write.cpp \
	src/core/storage/memory_storage.cpp \
	src/core/storage/retry_storage.cpp \
	src/core/storage/storage.cpp \
	src/core/storage/storage_url.cpp

PROGRAM_SOURCES = \
	src/program/catalog_entry.cpp \
	src/program/claim_repositories.cpp \
	src/program/command_engine.cpp \
	src/program/command_info.cpp \
	src/program/command_reference.cpp \
	src/program/command_restore.cpp \
	src/program/command_verify.cpp \
	src/program/command_wal_get.cpp \
	src/program/commands.cpp \
	src/program/configuration.cpp \
	src/program/console.cpp \
	src/program/engine_backup.cpp \
	src/program/engine_link.cpp \
	src/program/engine_wal.cpp \
	src/program/engines.cpp \
	src/program/main.cpp \
	src/program/open_repositories.cpp \
	src/program/prefetch_process.cpp \
	src/program/render_info.cpp \
	src/program/server_version.cpp \
	src/program/signal_watch.cpp

SERVER_SOURCES = \
	src/server/archive_module.cpp \
	src/server/backup_job.cpp \
	src/server/backup_worker.cpp \
	src/server/boundary.cpp \
	src/server/engine_process.cpp \
	src/server/module.cpp \
	src/server/report.cpp \
	src/server/result_rows.cpp \
	src/server/session.cpp \
	src/server/settings.cpp \
	src/server/shared_state.cpp \
	src/server/sql_archive.cpp \
	src/server/sql_backup.cpp \
	src/server/wal_state.cpp \
	src/server/wal_worker.cpp \
	src/server/worker.cpp \
	src/server/worker_entry.cpp

# In the order of creation: what comes later may use what came before.
SQL_AREAS = \
	sql/schema.sql \
	sql/archive.sql \
	sql/backup.sql \
	sql/rights.sql
