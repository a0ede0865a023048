// pg_control of every major. The CRC is tried at every place a major has it, so that what lies behind it is reached.

#include "core/postgres/crc32c.h"
#include "core/postgres/pg_control.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    const int major = 13 + data[0] % 7;
    const ByteView input = std::as_bytes(std::span(data + 1, size - 1));
    Bytes content(8192, std::byte{0});
    std::copy_n(input.begin(), std::min(input.size(), content.size()), content.begin());
    store_le(content.data() + 8, control_version_of(major));
    static_cast<void>(parse_checkpoint(input, major));
    for (size_t place = 256; place < 320; place += 4) {
        Bytes sealed = content;
        store_le(sealed.data() + place, crc32c(ByteView(sealed).first(place)));
        const Result<ControlFile> control = parse_control_file(sealed, major);
        if (control.ok() && !is_valid_wal_segment_size(control->wal_segment_size)) __builtin_trap();
    }
    static_cast<void>(parse_control_file(input, major));
    return 0;
}
