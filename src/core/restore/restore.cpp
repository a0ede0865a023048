#include "core/restore/restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/postgres/configuration.h"
#include "core/restore/backup_manifest.h"
#include "core/restore/unpack.h"
#include "core/restore/wal_fetch.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// One run of a plan: the steps, in the order in which execute_restore calls them.
class Restore {
public:
    Restore(const RestorePlan& plan, std::span<const Repository> repositories, Log& log, RestoreProgress& progress, const CancelToken& cancel)
        : plan_(plan),
          repositories_(repositories),
          log_(log),
          progress_(progress),
          cancel_(cancel),
          unpacker_(plan.manifest, in_order(plan, repositories), {plan.directory.path, plan.owner, plan.workers}, log, progress) {}

    Result<void> run() {
        TRY(begin("preparing directories"));
        TRY(prepare_directories());
        TRY(clean_up());
        TRY(begin("creating files"));
        TRY(link_tablespaces());
        TRY(unpacker_.create_directories());
        TRY(create_wal_directories());
        TRY(unpacker_.create_files(cancel_));
        TRY(fill_files());
        TRY(begin("restoring WAL", plan_.wal_files.size()));
        TRY(restore_wal());
        TRY(begin("preparing recovery"));
        TRY(write_startup_files());
        TRY(begin("flushing to disk", plan_.manifest.files.size()));
        TRY(unpacker_.sync(cancel_));
        TRY(begin("finishing"));
        return commit();
    }

private:
    static std::vector<const Repository*> in_order(const RestorePlan& plan, std::span<const Repository> repositories) {
        std::vector<const Repository*> order;
        for (size_t i = 0; i < repositories.size(); ++i) order.push_back(&repositories[(plan.repository + i) % repositories.size()]);
        return order;
    }

    fs::path path(std::string_view name) const { return plan_.directory.path / name; }
    mode_t file_mode() const { return plan_.directory_mode & 0666; }

    Result<void> begin(const char* step, uint64_t amount = 0, bool in_bytes = false) const {
        progress_.begin(step, amount, in_bytes);
        log_.debug("restore_step", step);
        return check_cancel(cancel_);
    }

    /// What is there must not start from now on, and what the backup does not have goes.
    Result<void> clean_up() const {
        if (plan_.directory.action != DirectoryAction::kCompare) return {};
        TRY(begin("removing what is not in the backup"));
        const fs::path control = path(kControlFile), pending = path(kPendingControlFile);
        if (::rename(control.c_str(), pending.c_str()) == 0)
            TRY(sync_directory(control.parent_path()));
        else if (errno != ENOENT)
            return Error::from_errno(errno, formatted("could not rename file \"{}\" to \"{}\"", control.native(), pending.native())).object(control.native());
        return remove_surplus(plan_.surplus);
    }

    Result<void> fill_files() {
        if (const uint64_t present = unpacker_.present_bytes(); present != 0) {
            TRY(begin("comparing files", present, true));
            TRY(unpacker_.compare_content(cancel_));
            log_.write({LogLevel::kLog, "restore_compared", "compared what was there",
                        {{"bytes_compared", std::to_string(present)}, {"bytes_to_write", std::to_string(unpacker_.missing_bytes())}}, {}, {}, {}});
        }
        TRY(begin("restoring files", unpacker_.missing_bytes(), true));
        return unpacker_.write_content(cancel_);
    }

    Result<void> write_marker() const {
        Json marker = {{"backup", plan_.manifest.summary.label}, {"tablespaces", Json::array()}};
        for (const PlannedTablespace& tablespace : plan_.tablespaces) marker["tablespaces"].push_back(tablespace.directory.path.native());
        const std::string text = render_json(marker) + "\n";
        return write_file(kRestoreMarker, as_bytes(text));
    }

    /// Durable on return, with the owner and mode of the cluster's files.
    Result<void> write_file(std::string_view name, ByteView content) const {
        TRY(write_file_durably(path(name), content, file_mode()));
        return give_away(path(name));
    }

    Result<void> give_away(const fs::path& file) const {
        if (plan_.owner && ::lchown(file.c_str(), plan_.owner->user, plan_.owner->group) != 0)
            return Error::from_errno(errno, formatted("could not change owner of \"{}\"", file.native())).object(file.native());
        return {};
    }

    Result<void> prepare_directories() const {
        TRY(prepare_directory(plan_.directory, plan_.directory_mode, plan_.owner));
        // The marker names the tablespaces before anything is in them: an interrupted restore's are recognised by it.
        TRY(write_marker());
        for (const PlannedTablespace& tablespace : plan_.tablespaces) {
            TRY(prepare_directory(tablespace.directory, plan_.directory_mode, plan_.owner));
            if (plan_.directory.action == DirectoryAction::kMoveAside && tablespace.directory.action == DirectoryAction::kMoveAside)
                TRY(follow_moved_tablespace(plan_.directory.aside, tablespace.directory));
        }
        return {};
    }

    Result<void> make_directory(std::string_view name) const {
        TRY(create_directories_durably(path(name), plan_.directory_mode));
        return give_away(path(name));
    }

    Result<void> link_tablespaces() const {
        if (plan_.tablespaces.empty()) return {};
        TRY(make_directory("pg_tblspc"));
        for (const PlannedTablespace& tablespace : plan_.tablespaces) {
            const fs::path link = path("pg_tblspc") / std::to_string(tablespace.oid);
            std::error_code not_there;
            if (fs::read_symlink(link, not_there) == tablespace.directory.path && !not_there) continue;
            fs::remove(link, not_there);
            if (::symlink(tablespace.directory.path.c_str(), link.c_str()) != 0)
                return Error::from_errno(errno, formatted("could not create symbolic link \"{}\"", link.native())).object(link.native());
            TRY(give_away(link));
        }
        return sync_directory(path("pg_tblspc"));
    }

    Result<void> create_wal_directories() const {
        TRY(make_directory("pg_wal"));
        return make_directory("pg_wal/archive_status");
    }

    Result<void> restore_wal() const {
        for (const std::string& name : plan_.wal_files) {
            TRY(check_cancel(cancel_));
            TRY_ASSIGN(const std::optional<FetchedFile> file, fetch_wal_file(repositories_, name));
            if (!file) return Error(ErrorCode::missing_wal, formatted("WAL file \"{}\" is missing", name)).object(name);
            TRY(write_file("pg_wal/" + name, file->content));
            // It is in the repository: the server must not archive it again.
            TRY(write_file(formatted("pg_wal/archive_status/{}.done", name), {}));
            progress_.done++;
        }
        return {};
    }

    Result<void> write_startup_files() const {
        TRY(write_file("backup_label", as_bytes(plan_.manifest.backup_label)));
        TRY(write_file("backup_manifest", as_bytes(render_backup_manifest(plan_.manifest, unpacker_.checksums()))));
        TRY(write_file(plan_.recovery.standby ? "standby.signal" : "recovery.signal", {}));
        return configure();
    }

    Result<void> configure() const {
        constexpr std::string_view kAutomatic = "postgresql.auto.conf";
        const Result<Bytes> automatic = read_file(path(kAutomatic));
        if (!automatic.ok() && automatic.error().code() != ErrorCode::not_found) return automatic.error();
        // Kept outside the data directory or not understood: then there is nothing to override in it. The server will tell.
        const Result<ServerConfiguration> elsewhere = read_configuration_file(path("postgresql.conf"));
        const std::string text = configure_recovery(automatic.ok() ? as_text(*automatic) : std::string_view(),
                                                    elsewhere.ok() ? *elsewhere : ServerConfiguration(), plan_.recovery);
        return write_file(kAutomatic, as_bytes(text));
    }

    /// The control file gets its name, and with that the directory can be started.
    Result<void> commit() const {
        const fs::path pending = path(kPendingControlFile), control = path(kControlFile);
        if (::rename(pending.c_str(), control.c_str()) != 0)
            return Error::from_errno(errno, formatted("could not rename file \"{}\" to \"{}\"", pending.native(), control.native())).object(control.native());
        TRY(sync_directory(control.parent_path()));
        if (::unlink(path(kRestoreMarker).c_str()) != 0)
            return Error::from_errno(errno, formatted("could not remove file \"{}\"", path(kRestoreMarker).native())).object(path(kRestoreMarker).native());
        return sync_directory(plan_.directory.path);
    }

    const RestorePlan& plan_;
    std::span<const Repository> repositories_;
    Log& log_;
    RestoreProgress& progress_;
    CancelToken cancel_;
    Unpacker unpacker_;
};

}  // namespace

Result<void> execute_restore(const RestorePlan& plan, std::span<const Repository> repositories, Log& log, RestoreProgress& progress,
                             const CancelToken& cancel) {
    return Restore(plan, repositories, log, progress, cancel).run().context([&] {
        return formatted("while restoring backup \"{}\" to \"{}\"", plan.manifest.summary.label, plan.directory.path.native());
    });
}

}  // namespace steward
