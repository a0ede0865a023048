// Where an upgrade keeps what it makes, and its journal.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/result.h"
#include "core/upgrade/journal.h"

namespace steward {

/// The work directory beside a data directory, on the same file system, so that directories change places by renames.
struct UpgradePlaces {
    explicit UpgradePlaces(std::filesystem::path data_directory);

    std::filesystem::path data_directory;
    std::filesystem::path root;  ///< "DIR.upgrade"
    std::filesystem::path journal() const { return root / "journal"; }
    std::filesystem::path logs() const { return root / "logs"; }              ///< what programs said; kept until the commit
    std::filesystem::path facts() const { return root / "facts.json"; }       ///< of the old cluster
    std::filesystem::path fingerprint() const { return root / "fingerprint"; }///< of the old cluster
    std::filesystem::path server_options() const { return root / "postmaster.opts"; }  ///< the old cluster's, before pg_upgrade started it
    std::filesystem::path hba() const { return root / "hba.conf"; }
    std::filesystem::path preserved() const { return root / "preserved"; }    ///< link, swap: a copy of the old cluster
    std::filesystem::path old() const { return root / "old"; }                ///< the old cluster after the exchange
    std::filesystem::path discarded() const { return root / "discarded"; }    ///< what a rollback took from the data directory's path
    std::filesystem::path rehearsal_record() const { return data_directory.native() + ".rehearsal.json"; }  ///< of the newest rehearsal; goes with the commit
    /// A cluster that is being made.
    std::filesystem::path cluster_of(int major) const { return root / std::to_string(major); }
};

/// The journal, open for this process alone.
class UpgradeJournal {
public:
    /// Take the lock and read the journal; the work directory is made (mode 0700) where it is missing. A torn last line is cut off. Errors: busy
    /// when another process has it; those of parse_journal; by errno.
    static Result<UpgradeJournal> open(const UpgradePlaces& places, const Clock& clock);

    /// Read it without the lock; none is an empty one. Errors: those of parse_journal; by errno.
    static Result<std::vector<JournalEntry>> read(const UpgradePlaces& places);
    /// Whether some process has it open.
    static bool is_in_use(const UpgradePlaces& places);

    const std::vector<JournalEntry>& entries() const { return entries_; }

    /// Append a line; durable on return. `at` is filled in. Errors: by errno, and then no line was added.
    Result<void> append(JournalEntry entry);

private:
    UpgradeJournal(UniqueFd lock, UniqueFd file, std::filesystem::path path, const Clock& clock)
        : lock_(std::move(lock)), file_(std::move(file)), path_(std::move(path)), clock_(&clock) {}

    UniqueFd lock_;  ///< of the work directory itself: no file is left behind that could look like a lock
    UniqueFd file_;
    std::filesystem::path path_;
    const Clock* clock_;
    uint64_t size_ = 0;
    std::vector<JournalEntry> entries_;
};

}  // namespace steward
