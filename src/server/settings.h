// The server's `steward.*` parameters, made from the table in core/settings.
#pragma once

#include "core/base/result.h"
#include "core/settings/settings.h"

namespace steward {

/// Define every parameter. Called once from _PG_init. Raises as DefineCustom...Variable does.
void define_settings();

/// The texts now in force in this process.
SettingTexts current_setting_texts();

/// The settings now in force in this process, checked. Errors: configuration.
Result<Settings> current_settings();

/// Whether a repository is set: without one there is nothing to archive to.
bool repository_is_set();

}  // namespace steward
