// Configuration files: a value that was set is read back, whatever stood in the file before.

#include "core/postgres/configuration.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const bool understood = parse_configuration(text, "fuzzed").ok();
    const std::string changed = set_configuration(text, {{"work_mem", "it's \\ 4MB"}});
    const Result<std::vector<ConfigurationEntry>> entries = parse_configuration(changed, "changed");
    if (understood && (!entries.ok() || entries->back().name != "work_mem" || entries->back().value != "it's \\ 4MB")) __builtin_trap();

    if (text.find('\0') != text.npos) return 0;
    const Result<std::vector<ConfigurationEntry>> quoted = parse_configuration("x = " + quote_configuration_value(text) + "\n", "quoted");
    if (!quoted.ok() || quoted->size() != 1 || quoted->front().value != text) __builtin_trap();
    return 0;
}
