// A doctor's page, for people and for programs.
#pragma once

#include <span>
#include <string>

#include "core/doctor/diagnose.h"

namespace steward {

/// What was looked at, a line each; then each finding with its cure; then the result.
std::string render_doctor(const DoctorFacts& facts, std::span<const Diagnosis> findings);

/// One JSON object and a newline.
std::string render_doctor_json(const DoctorFacts& facts, std::span<const Diagnosis> findings);

}  // namespace steward
