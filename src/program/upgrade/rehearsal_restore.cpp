#include "program/upgrade/rehearsal_restore.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/configuration.h"
#include "core/proof/drill.h"
#include "core/restore/restore.h"
#include "core/upgrade/carry_configuration.h"
#include "program/open_repositories.h"
#include "program/own_wal_get.h"
#include "program/upgrade/private_server.h"
#include "program/upgrade/rehearsal_copy.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

class RestoredCluster {
public:
    RestoredCluster(const RehearsalRestore& inputs, const ScratchDirectory& scratch, const fs::path& log_file) : in_(inputs), scratch_(scratch), log_file_(log_file) {}

    Result<std::string> make() {
        TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_reading(in_.settings, {in_.clock, in_.timer, in_.cancel}));
        for (const Error& error : opened.unavailable) in_.log.warning("repository_unavailable", error);
        TRY_ASSIGN(const RestoreOptions options, make_options());
        TRY_ASSIGN(const RestorePlan plan, plan_restore(opened.repositories, options, in_.clock, in_.progress, in_.cancel));
        TRY(check_cluster(plan));
        TRY(check_rehearsal_room(scratch_.path(), drill_space_needed(plan), "the restored backup"));
        TRY(execute_restore(plan, opened.repositories, in_.log, in_.progress, in_.cancel));
        TRY(isolate_copy(scratch_.data_directory()));
        in_.progress.begin("recovering", 0, false);
        TRY(recover());
        TRY(move_wal_elsewhere(in_.cluster, scratch_));
        TRY(flush());
        return plan.manifest.summary.label;
    }

private:
    Result<RestoreOptions> make_options() const {
        RestoreOptions options;
        options.choice.label = in_.backup;
        options.data_directory = scratch_.data_directory();
        options.tablespace_root = scratch_.tablespaces();
        options.server_major = in_.major;
        TRY_ASSIGN(options.wal_get, own_wal_get(in_.settings));
        return options;
    }

    Result<void> check_cluster(const RestorePlan& plan) const {
        if (plan.manifest.summary.system_identifier == in_.system_identifier) return {};
        return Error(ErrorCode::wrong_state, formatted("backup \"{}\" is of another cluster than \"{}\"", plan.manifest.summary.label, in_.cluster.native()))
            .detail(formatted("Its system identifier is {}, the cluster's is {}.", plan.manifest.summary.system_identifier, in_.system_identifier))
            .hint("Name the repository and the cluster that the server archives to, with --repository and --cluster.");
    }

    /// The libraries that the cluster's own server loads may be needed to replay their WAL.
    Result<std::string> preload(const fs::path& config_file) const {
        TRY_ASSIGN(const ServerConfiguration file, read_configuration_file(config_file));
        TRY_ASSIGN(const ServerConfiguration automatic, read_configuration_file(scratch_.data_directory() / "postgresql.auto.conf"));
        for (const ServerConfiguration* const settings : {&automatic, &file})
            if (const auto found = settings->find("shared_preload_libraries"); found != settings->end()) return preload_without_steward(found->second);
        return std::string();
    }

    Result<void> recover() {
        constexpr std::string_view kTrust = "local all all trust\n";
        PrivateServerPlan plan;
        plan.bindir = in_.bindir;
        plan.major = in_.major;
        plan.data_directory = scratch_.data_directory();
        plan.config_file = rehearsed_config(in_.config_file, in_.cluster, scratch_);
        plan.hba_file = scratch_.file("hba.conf");
        plan.log = log_file_;
        TRY(write_file_durably(plan.hba_file, as_bytes(kTrust)));
        TRY_ASSIGN(plan.preload, preload(plan.config_file));
        TRY_ASSIGN(const SocketDirectory sockets, SocketDirectory::make(scratch_.path()));
        plan.socket_directory = sockets.path();
        TRY_ASSIGN(PrivateServer server, PrivateServer::start(plan, in_.timer, in_.cancel));
        return server.stop(in_.cancel);
    }

    /// What is still to be written would be written while the upgrade is timed.
    Result<void> flush() const {
        TRY_ASSIGN(const UniqueFd directory, open_file(scratch_.path(), O_RDONLY | O_DIRECTORY));
        if (::syncfs(directory.get()) != 0) return Error::from_errno(errno, formatted("could not flush the file system of \"{}\"", scratch_.path().native())).object(scratch_.path().native());
        return {};
    }

    const RehearsalRestore& in_;
    const ScratchDirectory& scratch_;
    const fs::path& log_file_;
};

}  // namespace

fs::path rehearsed_config(const fs::path& config_file, const fs::path& cluster, const ScratchDirectory& scratch) {
    return config_file.native().starts_with(cluster.native() + "/") ? scratch.data_directory() / config_file.lexically_relative(cluster) : config_file;
}

Result<std::string> restore_for_rehearsal(const RehearsalRestore& inputs, const ScratchDirectory& scratch, const fs::path& log_file) {
    return RestoredCluster(inputs, scratch, log_file).make();
}

Result<void> check_rehearsal_room(const fs::path& directory, uint64_t needed, std::string_view what) {
    struct statvfs space;
    if (::statvfs(directory.c_str(), &space) != 0) return Error::from_errno(errno, formatted("could not look at the file system of \"{}\"", directory.native())).object(directory.native());
    const uint64_t available = uint64_t{space.f_bavail} * space.f_frsize;
    if (available >= needed) return {};
    return Error(ErrorCode::no_space, formatted("there is no room in \"{}\" for {}", directory.native(), what))
        .detail(formatted("It takes {}, and {} are free.", pretty_size(needed), pretty_size(available)))
        .hint("Make room, or name a directory on another file system with --at.")
        .object(directory.native());
}

}  // namespace steward
