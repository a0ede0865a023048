#include "server/settings.h"

#include <array>
#include <string>

#include "server/boundary.h"

namespace steward {

namespace {

// The storage behind the parameters. The server writes it through the addresses given to DefineCustom...Variable, in
// whichever process it is; one slot a row of the table.
constexpr size_t kCount = [] {
    size_t n = 0;
#define STEWARD_STRING(...) ++n;
#define STEWARD_INTEGER(...) ++n;
#include "core/settings/settings.def"
#undef STEWARD_STRING
#undef STEWARD_INTEGER
    return n;
}();
std::array<char*, kCount> string_values;
std::array<int, kCount> integer_values;

/// The rows' full names, as literals: the server keeps the pointers it is given.
constexpr const char* kFullNames[] = {
#define STEWARD_STRING(name, ...) "steward." #name,
#define STEWARD_INTEGER(name, ...) "steward." #name,
#include "core/settings/settings.def"
#undef STEWARD_STRING
#undef STEWARD_INTEGER
};

/// The check hooks get no argument that says which parameter they check: one function for each row, made by its number.
template <size_t row>
bool check_string(char** text, void**, GucSource) {
    return enter([&]() -> Result<bool> {
        const Result<void> checked = check_setting(all_settings()[row].name, *text);
        if (checked.ok()) return true;
        const char* detail = checked.error().detail().c_str();
        const char* hint = checked.error().hint().c_str();
        TRY(call_server([&] {
            if (*detail != 0) GUC_check_errdetail("%s", detail);
            if (*hint != 0) GUC_check_errhint("%s", hint);
        }));
        return false;
    });
}

GucContext context_of(const SettingInfo& setting) { return setting.reload == SettingReload::kReload ? PGC_SIGHUP : PGC_POSTMASTER; }

/// No object with a destructor in here: the server may raise from within. The views are of literals, so data() is a C string.
template <size_t row>
void define_row() {
    const SettingInfo& setting = all_settings()[row];
    if (setting.kind == SettingKind::kString)
        DefineCustomStringVariable(kFullNames[row], setting.description.data(), nullptr, &string_values[row], setting.default_text.data(),
                                   context_of(setting), 0, check_string<row>, nullptr, nullptr);
    else
        DefineCustomIntVariable(kFullNames[row], setting.description.data(), nullptr, &integer_values[row],
                                static_cast<int>(setting.default_integer), static_cast<int>(setting.minimum), static_cast<int>(setting.maximum),
                                context_of(setting), 0, nullptr, nullptr, nullptr);
}

template <size_t... rows>
void define_rows(std::index_sequence<rows...>) {
    (define_row<rows>(), ...);
}

}  // namespace

void define_settings() {
    define_rows(std::make_index_sequence<kCount>());
    MarkGUCPrefixReserved("steward");
}

SettingTexts current_setting_texts() {
    SettingTexts texts;
    for (size_t row = 0; row < kCount; ++row) {
        const SettingInfo& setting = all_settings()[row];
        texts[std::string(setting.name)] =
            setting.kind == SettingKind::kString ? std::string(string_values[row] != nullptr ? string_values[row] : "") : std::to_string(integer_values[row]);
    }
    return texts;
}

Result<Settings> current_settings() { return parse_settings(current_setting_texts()); }

bool repository_is_set() {
    const SettingTexts texts = current_setting_texts();
    return !texts.at("repository").empty();
}

}  // namespace steward
