// A whole manifest: what is understood renders to something that is understood alike.

#include "core/backup/manifest.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Result<Manifest> manifest = parse_manifest(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!manifest.ok()) return 0;
    const std::string text = render_manifest(*manifest);
    const Result<Manifest> again = parse_manifest(text);
    if (!again.ok() || render_manifest(*again) != text) __builtin_trap();
    return 0;
}
