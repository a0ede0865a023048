// One WAL segment, of any major, cut anywhere. Its first page header is made to fit, and the CRCs are not looked at.

#include "core/postgres/wal_reader.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr uint32_t kSegmentSize = 1024 * 1024;
    constexpr size_t kHeader = 40;
    if (size < 1 + kHeader || size > kSegmentSize) return 0;
    const int major = 13 + data[0] % 7;
    const ByteView input = std::as_bytes(std::span(data + 1, size - 1));
    Bytes segment(input.begin(), input.end());
    store_le<uint16_t>(segment.data(), wal_page_magic_of(major));
    store_le<uint16_t>(segment.data() + 2, static_cast<uint16_t>(load_le<uint16_t>(segment.data() + 2) | 0x0002));
    store_le<uint64_t>(segment.data() + 8, 3 * uint64_t{kSegmentSize});
    store_le<uint32_t>(segment.data() + 32, kSegmentSize);
    store_le<uint32_t>(segment.data() + 36, 8192);
    Result<WalSegmentReader> reader = WalSegmentReader::open(segment, kSegmentSize, WalSegmentReader::Crc::kSkip);
    if (!reader.ok()) return 0;
    Lsn last;
    while (const std::optional<WalRecord> record = reader->next()) {
        if (record->lsn <= last || record->end_lsn <= record->lsn) __builtin_trap();
        last = record->lsn;
        const Result<Bytes> main_data = reader->main_data();
        if (!main_data.ok()) continue;
        static_cast<void>(decode_restore_point(*main_data));
        static_cast<void>(decode_transaction_end(*record, *main_data, major));
        static_cast<void>(decode_end_of_recovery(*main_data));
        static_cast<void>(decode_backup_end(*main_data));
    }
    if (reader->end() == WalEnd::kNone) __builtin_trap();
    return 0;
}
