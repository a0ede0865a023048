#include "core/postgres/wal_reader.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/pg_control.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

constexpr uint32_t kSegmentSize = 1024 * 1024;
constexpr uint32_t kWalPage = 8192;
constexpr uint64_t kStart = 3 * uint64_t{kSegmentSize};

/// Writes records into a segment as the server does, crossing pages.
class CraftedSegment {
public:
    explicit CraftedSegment(uint32_t continued = 0) : bytes_(kSegmentSize, std::byte{0}) { enter_page(continued); }

    /// Append a record with `main_data`; returns its position. `next` is where the following one goes.
    Lsn add(uint8_t manager, uint8_t info, ByteView main_data, uint32_t xid = 0) {
        Bytes record(24, std::byte{0});
        if (!main_data.empty()) {
            const std::byte head[5] = {std::byte{254}};
            record.insert(record.end(), head, head + 5);
            store_le(record.data() + 25, static_cast<uint32_t>(main_data.size()));
            record.insert(record.end(), main_data.begin(), main_data.end());
        }
        store_le(record.data(), static_cast<uint32_t>(record.size()));
        store_le(record.data() + 4, xid);
        store_le(record.data() + 8, previous_);
        record[16] = std::byte{info};
        record[17] = std::byte{manager};
        const uint32_t crc = crc32c(ByteView(record).first(20), crc32c(ByteView(record).subspan(24)));
        store_le(record.data() + 20, crc);
        if (place_ % kWalPage == 0) enter_page(0);
        const Lsn lsn{kStart + place_};
        previous_ = lsn.value;
        put(record);
        return lsn;
    }

    void put(ByteView data) {
        while (!data.empty()) {
            if (place_ % kWalPage == 0) {
                if (place_ == kSegmentSize) return;
                enter_page(static_cast<uint32_t>(data.size()));
            }
            const size_t piece = std::min<size_t>(data.size(), kWalPage - place_ % kWalPage);
            std::copy_n(data.begin(), piece, bytes_.begin() + static_cast<ptrdiff_t>(place_));
            place_ += piece;
            data = data.subspan(piece);
        }
        place_ = (place_ + 7) & ~size_t{7};
    }

    Bytes& bytes() { return bytes_; }
    size_t place() const { return place_; }

private:
    void enter_page(uint32_t remaining) {
        std::byte* page = bytes_.data() + place_;
        store_le<uint16_t>(page, 0xD110);
        store_le<uint16_t>(page + 2, static_cast<uint16_t>((place_ == 0 ? 2 : 0) | (remaining != 0 ? 1 : 0)));
        store_le<uint32_t>(page + 4, 1);
        store_le<uint64_t>(page + 8, kStart + place_);
        store_le<uint32_t>(page + 16, remaining);
        if (place_ == 0) {
            store_le<uint64_t>(page + 24, 42);
            store_le<uint32_t>(page + 32, kSegmentSize);
            store_le<uint32_t>(page + 36, kWalPage);
        }
        place_ += place_ == 0 ? 40 : 24;
    }

    Bytes bytes_;
    size_t place_ = 0;
    uint64_t previous_ = kStart - 8;
};

Result<WalSegmentReader> open_reader(ByteView segment, WalSegmentReader::Crc crc = WalSegmentReader::Crc::kVerify) {
    return WalSegmentReader::open(segment, kSegmentSize, crc);
}

int count_records(WalSegmentReader& reader) {
    int count = 0;
    while (reader.next()) count++;
    return count;
}

TEST(WalReader, WalksRecordsAcrossPages) {
    CraftedSegment segment;
    std::vector<Lsn> expected;
    for (size_t size = 0; size < 30000; size = size * 2 + 13)
        expected.push_back(segment.add(10, 0, Bytes(size, std::byte{7}), 5));
    auto reader = open_reader(segment.bytes()).value();
    EXPECT_EQ(reader.header().major, 15);
    EXPECT_EQ(reader.header().system_identifier, 42u);
    for (size_t i = 0, size = 0; i < expected.size(); i++, size = size * 2 + 13) {
        const auto record = reader.next();
        ASSERT_TRUE(record.has_value()) << i;
        EXPECT_EQ(record->lsn, expected[i]);
        EXPECT_EQ(record->xid, 5u);
        EXPECT_EQ(record->resource_manager, 10);
        EXPECT_EQ(reader.main_data().value(), Bytes(size, std::byte{7}));
    }
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.end(), WalEnd::kEndOfData);
    EXPECT_EQ(reader.valid_until(), Lsn{kStart} + segment.place());
}

TEST(WalReader, SkipsTheEndOfAnEarlierRecord) {
    CraftedSegment segment(20000);
    segment.put(Bytes(20000, std::byte{9}));
    const Lsn first = segment.add(0, 0x20, {});
    auto reader = open_reader(segment.bytes()).value();
    EXPECT_EQ(reader.header().continued_bytes, 20000u);
    EXPECT_EQ(reader.valid_until(), first);
    EXPECT_EQ(reader.next()->lsn, first);
}

TEST(WalReader, SaysWhenARecordGoesOnInTheNextSegment) {
    CraftedSegment segment;
    segment.add(10, 0, Bytes(1000, std::byte{1}));
    const size_t whole = segment.place();
    segment.add(10, 0, Bytes(2 * kSegmentSize, std::byte{1}));
    auto reader = open_reader(segment.bytes()).value();
    EXPECT_EQ(count_records(reader), 1);
    EXPECT_EQ(reader.end(), WalEnd::kContinues);
    EXPECT_EQ(reader.valid_until(), Lsn{kStart} + whole);
}

TEST(WalReader, StopsAtTheEndOfPartialSegments) {
    CraftedSegment segment;
    segment.add(10, 0, Bytes(100, std::byte{1}));
    segment.add(10, 0, Bytes(50000, std::byte{1}));
    for (size_t size = 40; size < segment.place(); size += 997) {
        auto reader = open_reader(ByteView(segment.bytes()).first(size)).value();
        EXPECT_EQ(count_records(reader), size < 169 ? 0 : 1) << size;
        EXPECT_EQ(reader.end(), WalEnd::kTruncated) << size;
    }
}

TEST(WalReader, StopsAtASwitch) {
    CraftedSegment segment;
    segment.add(0, 0x40, {});
    auto reader = open_reader(segment.bytes()).value();
    const auto record = reader.next();
    EXPECT_EQ(kind_of(*record), WalRecordKind::kSwitch);
    EXPECT_EQ(record->end_lsn, Lsn{kStart + kSegmentSize});
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.end(), WalEnd::kSegmentEnd);
}

TEST(WalReader, FindsDamageByCrcAndRecycledContentByLinks) {
    CraftedSegment segment;
    segment.add(10, 0, Bytes(100, std::byte{1}));
    const Lsn second = segment.add(10, 0, Bytes(100, std::byte{1}));
    segment.add(10, 0, Bytes(100, std::byte{1}));
    Bytes damaged = segment.bytes();
    damaged[second.value - kStart + 60] ^= std::byte{1};
    auto reader = open_reader(damaged).value();
    EXPECT_EQ(count_records(reader), 1);
    EXPECT_EQ(reader.end(), WalEnd::kBadRecord);
    auto fast = open_reader(damaged, WalSegmentReader::Crc::kSkip).value();
    EXPECT_EQ(count_records(fast), 3);

    Bytes recycled = segment.bytes();
    store_le<uint64_t>(recycled.data() + second.value - kStart + 8, 12345);
    auto linked = open_reader(recycled, WalSegmentReader::Crc::kSkip).value();
    EXPECT_EQ(count_records(linked), 1);
    EXPECT_EQ(linked.end(), WalEnd::kEndOfData);
}

TEST(WalReader, GoesOnBehindARecordThatACrashCutOff) {
    CraftedSegment segment;
    segment.add(10, 0, Bytes(100, std::byte{1}));
    const Lsn lost = segment.add(10, 0, Bytes(20000, std::byte{1}));
    std::byte* page = segment.bytes().data() + kWalPage;
    store_le<uint16_t>(page + 2, 0x0008);
    store_le<uint32_t>(page + 16, 0);
    // The server then writes XLOG_OVERWRITE_CONTRECORD here; anything linked to the last whole record does.
    Bytes record(24, std::byte{0});
    store_le<uint32_t>(record.data(), 24);
    store_le<uint64_t>(record.data() + 8, kStart + 40);
    record[16] = std::byte{0xD0};
    store_le(record.data() + 20, crc32c(ByteView(record).first(20)));
    std::copy(record.begin(), record.end(), page + 24);
    std::fill_n(page + 48, 100, std::byte{0});

    auto reader = open_reader(segment.bytes()).value();
    EXPECT_EQ(reader.next()->lsn, Lsn{kStart + 40});
    const auto next = reader.next();
    ASSERT_TRUE(next.has_value());
    EXPECT_NE(next->lsn, lost);
    EXPECT_EQ(next->lsn, Lsn{kStart + kWalPage + 24});
}

TEST(WalReader, RefusesForeignSegments) {
    CraftedSegment segment;
    EXPECT_EQ(open_reader(Bytes(kSegmentSize, std::byte{0})).error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(open_reader(Bytes(10, std::byte{1})).error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(open_reader(Bytes(kSegmentSize, std::byte{1})).error().code(), ErrorCode::wrong_version);
    EXPECT_FALSE(WalSegmentReader::open(segment.bytes(), 2 * kSegmentSize, WalSegmentReader::Crc::kSkip).ok());
    for (const uint64_t from : {kStart - 8, kStart + kSegmentSize, kStart + 41, kStart + kWalPage + 8})
        EXPECT_FALSE(WalSegmentReader::open(segment.bytes(), kSegmentSize, WalSegmentReader::Crc::kSkip, Lsn{from}).ok()) << from;
}

TEST(WalReader, SurvivesEveryFlippedByte) {
    CraftedSegment segment;
    for (int i = 0; i < 20; i++) segment.add(10, 0, Bytes(static_cast<size_t>(i) * 97, std::byte{1}));
    Bytes damaged(segment.bytes().begin(), segment.bytes().begin() + static_cast<ptrdiff_t>(segment.place() + 100));
    for (size_t at = 0; at < segment.place(); at++) {
        // Flipped back by the next round: copying the segment each time takes minutes under sanitizers.
        if (at != 0) damaged[at - 1] ^= std::byte{0xFF};
        damaged[at] ^= std::byte{0xFF};
        auto reader = open_reader(damaged, WalSegmentReader::Crc::kSkip);
        if (!reader.ok()) continue;
        int count = 0;
        while (reader->next()) {
            static_cast<void>(reader->main_data());
            ASSERT_LE(++count, 20);
        }
    }
}

TEST(WalRecord, DecodesPreparedTransactionsByTheirOwnXid) {
    Bytes data(8 + 4 + 8 + 4 + 2 * 4 + 4 + 16 + 4, std::byte{0});
    store_le<int64_t>(data.data(), 1'000'000);
    store_le<uint32_t>(data.data() + 8, 0x1 | 0x2 | 0x10 | 0x100);  // database, subtransactions, two-phase, statistics
    store_le<uint32_t>(data.data() + 20, 2);
    store_le<uint32_t>(data.data() + 32, 1);
    store_le<uint32_t>(data.data() + 52, 777);
    WalRecord record;
    record.resource_manager = 1;
    record.info = 0x30 | 0x80;
    const auto end = decode_transaction_end(record, data, 18).value();
    EXPECT_EQ(end.xid, 777u);
    EXPECT_TRUE(end.committed);
    EXPECT_EQ(format_time(end.time), "2000-01-01T00:00:01.000000Z");
    EXPECT_FALSE(decode_transaction_end(record, ByteView(data).first(52), 18).ok());
}

TEST(WalRecord, RefusesShortData) {
    const Bytes data(7);
    EXPECT_FALSE(decode_restore_point(data).ok());
    EXPECT_FALSE(decode_end_of_recovery(data).ok());
    EXPECT_FALSE(decode_backup_end(data).ok());
    EXPECT_FALSE(decode_transaction_end(WalRecord(), data, 15).ok());
    EXPECT_EQ(from_postgres_timestamp(INT64_MAX), TimePoint::max());
    EXPECT_EQ(from_postgres_timestamp(INT64_MIN), TimePoint::min());
}

/// What pg_waldump prints of each record, by position.
struct DumpedRecord {
    std::string manager, xid, description;
};
std::map<Lsn, DumpedRecord> waldump(const RealServer& server, const std::string& segment) {
    std::map<Lsn, DumpedRecord> records;
    const std::string output = server.run("sh -c '" + server.program("pg_waldump") + " " + segment + " 2>/dev/null || true'");
    const auto field = [](const std::string& line, const std::string& name) {
        const size_t at = line.find(name);
        const size_t begin = line.find_first_not_of(' ', at + name.size());
        return at == std::string::npos ? std::string() : line.substr(begin, line.find_first_of(", ", begin) - begin);
    };
    for (size_t begin = 0; begin < output.size();) {
        const size_t end = std::min(output.find('\n', begin), output.size());
        const std::string line = output.substr(begin, end - begin);
        if (const auto lsn = parse_lsn(field(line, "lsn:")); lsn.ok())
            records[*lsn] = {field(line, "rmgr:"), field(line, "tx:"), line.substr(line.find("desc:") + 6)};
        begin = end + 1;
    }
    return records;
}

TEST(WalOfARealServer, ReadsAsPgWaldumpReadsIt) {
    const auto servers = installed_servers();
    REQUIRE_REAL_SERVERS(servers);
    for (const auto& installed : servers) {
        RealServer server(installed, "--wal-segsize=1");
        server.start("-c max_prepared_transactions=2 -c wal_level=logical -c full_page_writes=on -c wal_keep_size=100MB");
        server.sql("create table t as select g, repeat('x', 300) as x from generate_series(1, 20000) g");
        server.sql("select pg_create_restore_point('before the upgrade')");
        server.sql("update t set x = repeat('y', 200) where g % 3 = 0");
        server.run(server.program("psql") + " -X -q -U postgres -h " + server.data().parent_path().native() +
                   " -c 'begin; create table u (); savepoint s; insert into t values (1); prepare transaction $$p$$' postgres");
        server.sql("commit prepared 'p'");
        server.sql("checkpoint");
        server.sql("select pg_switch_wal()");
        server.stop();

        const uint64_t system_identifier = read_control_file(server.data()).value().system_identifier;
        std::set<std::string> restore_points;
        std::map<WalRecordKind, int> kinds;
        size_t records = 0;
        std::vector<std::filesystem::path> segments;
        for (const auto& entry : std::filesystem::directory_iterator(server.data() / "pg_wal"))
            if (classify_wal_file(entry.path().filename().native()) == WalFileKind::kSegment) segments.push_back(entry.path());
        for (const auto& path : segments) {
            const Bytes content = read_file(path).value();
            auto opened = WalSegmentReader::open(content, kSegmentSize, WalSegmentReader::Crc::kVerify);
            if (!opened.ok()) continue;  // made ahead of need, and empty
            WalSegmentReader reader = std::move(opened).value();
            EXPECT_EQ(reader.header().major, server.major());
            EXPECT_EQ(reader.header().system_identifier, system_identifier);
            if (segment_of(reader.header().start, kSegmentSize) !=
                parse_wal_segment_name(path.filename().native(), kSegmentSize)->segment_number)
                continue;  // recycled, not yet written
            const auto dumped = waldump(server, path.native());
            std::set<Lsn> seen;
            while (const auto record = reader.next()) {
                records++;
                seen.insert(record->lsn);
                const auto expected = dumped.find(record->lsn);
                ASSERT_NE(expected, dumped.end()) << path << " " << to_string(record->lsn);
                EXPECT_EQ(std::to_string(record->xid), expected->second.xid);
                const auto data = reader.main_data();
                ASSERT_TRUE(data.ok()) << data.error().to_string();
                const auto kind = kind_of(*record);
                kinds[kind]++;
                if (kind == WalRecordKind::kRestorePoint) restore_points.insert(decode_restore_point(*data).value().name);
                if (kind == WalRecordKind::kCheckpointOnline || kind == WalRecordKind::kCheckpointShutdown) {
                    const auto checkpoint = parse_checkpoint(*data, server.major()).value();
                    EXPECT_NE(expected->second.description.find(formatted("oid {};", checkpoint.next_oid)), std::string::npos)
                        << expected->second.description;
                }
                if (kind == WalRecordKind::kCommit || kind == WalRecordKind::kCommitPrepared) {
                    const auto end = decode_transaction_end(*record, *data, server.major());
                    ASSERT_TRUE(end.ok()) << end.error().to_string();
                    // "2026-11-20T11:04:43.123456Z" against "2026-11-20 11:04:43.123456 UTC"
                    std::string time = format_time(end->time).substr(0, 26);
                    time[10] = ' ';
                    EXPECT_NE(expected->second.description.find(time), std::string::npos)
                        << time << " in " << expected->second.description;
                    EXPECT_GE(end->xid, 3u);
                }
            }
            // pg_waldump of one file alone cannot give the record that goes on in the next one either.
            for (const auto& [lsn, record] : dumped)
                EXPECT_TRUE(seen.contains(lsn))
                    << path << " " << to_string(lsn) << " " << record.manager << " " << record.description;
            EXPECT_TRUE(reader.end() == WalEnd::kSegmentEnd || reader.end() == WalEnd::kContinues ||
                        reader.end() == WalEnd::kEndOfData)
                << path << " " << static_cast<int>(reader.end());
        }
        EXPECT_GT(records, 10000u);
        EXPECT_EQ(restore_points, std::set<std::string>{"before the upgrade"});
        EXPECT_EQ(kinds[WalRecordKind::kCommitPrepared], 1);
        EXPECT_EQ(kinds[WalRecordKind::kSwitch], 1);
        EXPECT_GE(kinds[WalRecordKind::kCheckpointShutdown], 1);
    }
}

}  // namespace
}  // namespace steward
