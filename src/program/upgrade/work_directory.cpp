#include "program/upgrade/work_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostJournal = 16 << 20;
/// Reserved for what is still to be written, so that a full disk does not keep an upgrade from being rolled back.
constexpr off_t kReserve = 1 << 16;

}  // namespace

UpgradePlaces::UpgradePlaces(fs::path directory) : data_directory(std::move(directory)), root(data_directory.native() + ".upgrade") {}

Result<UpgradeJournal> UpgradeJournal::open(const UpgradePlaces& places, const Clock& clock) {
    TRY(create_directories_durably(places.logs()));
    TRY_ASSIGN(UniqueFd lock, open_file(places.root, O_RDONLY | O_DIRECTORY));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return Error::from_errno(errno, formatted("could not lock directory \"{}\"", places.root.native())).object(places.root.native());
        return Error(ErrorCode::busy, formatted("another process is at work on the upgrade of \"{}\"", places.data_directory.native()))
            .hint("Wait until it has ended; \"pg_steward upgrade status\" tells how far it is.")
            .object(places.root.native());
    }
    TRY_ASSIGN(UniqueFd file, open_file(places.journal(), O_RDWR | O_CREAT));
    TRY(sync_directory(places.root));
    UpgradeJournal journal(std::move(lock), std::move(file), places.journal(), clock);
    TRY_ASSIGN(const Bytes content, read_file(journal.path_, kMostJournal));
    journal.size_ = whole_lines(as_text(content));
    TRY_ASSIGN(journal.entries_, parse_journal(as_text(content)).context([&] { return formatted("while reading file \"{}\"", journal.path_.native()); }));
    // Cutting a file gives back what was reserved beyond its end, which a full disk does not give twice.
    if (journal.size_ != content.size() && ::ftruncate(journal.file_.get(), static_cast<off_t>(journal.size_)) != 0)
        return Error::from_errno(errno, formatted("could not truncate file \"{}\"", journal.path_.native())).object(journal.path_.native());
    // Where the file system cannot, or is full already, there is no more to be done.
    static_cast<void>(::fallocate(journal.file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(journal.size_), kReserve) == 0);
    return journal;
}

Result<std::vector<JournalEntry>> UpgradeJournal::read(const UpgradePlaces& places) {
    const Result<Bytes> content = read_file(places.journal(), kMostJournal);
    if (!content.ok() && content.error().code() == ErrorCode::not_found) return std::vector<JournalEntry>();
    if (!content.ok()) return Error(content.error());
    return parse_journal(as_text(*content)).context([&] { return formatted("while reading file \"{}\"", places.journal().native()); });
}

bool UpgradeJournal::is_in_use(const UpgradePlaces& places) {
    const Result<UniqueFd> directory = open_file(places.root, O_RDONLY | O_DIRECTORY);
    return directory.ok() && ::flock(directory->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Result<void> UpgradeJournal::append(JournalEntry entry) {
    entry.at = clock_->now();
    const std::string line = format_journal_entry(entry);
    const auto write = [&]() -> Result<void> {
        TRY(write_at(file_.get(), size_, as_bytes(line), path_));
        return sync_file(file_.get(), path_);
    };
    if (Result<void> written = write(); !written.ok()) {
        // Half a line would be cut off by whoever comes next; try to be that.
        static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0);
        return std::move(written).error();
    }
    size_ += line.size();
    entries_.push_back(std::move(entry));
    return {};
}

}  // namespace steward
