// The engine's socket: any bytes in any pieces, and any JSON read as each message.

#include "core/protocol/frame.h"
#include "core/protocol/messages.h"

using namespace steward;

namespace {

template <typename... Message>
void read_as_each(const Json& json) {
    (static_cast<void>(read_message<Message>(json)), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    const size_t piece = 1 + data[0];
    ByteView rest = std::as_bytes(std::span(data + 1, size - 1));
    const Result<Json> json = parse_frame_text(std::string(as_text(rest)));
    if (json.ok()) {
        static_cast<void>(message_type(*json));
        read_as_each<HelloMessage, ConfigureMessage, LogMessage, FailedMessage, WantMessage, FlushedMessage, StoredMessage, NotStoredMessage, WalStatusMessage,
                     CatalogMessage, BackupStartMessage, BackupFinishMessage, BackupProgressMessage, BackupCopiedMessage, BackupDoneMessage>(*json);
    }
    FrameDecoder decoder;
    while (!rest.empty()) {
        decoder.feed(rest.first(std::min(piece, rest.size())));
        rest = rest.subspan(std::min(piece, rest.size()));
        for (;;) {
            const Result<std::optional<std::string>> next = decoder.next();
            if (!next.ok()) return 0;
            if (!next->has_value()) break;
        }
    }
    return 0;
}
