// The parts of diagnose, by what they look at. Each adds what it finds. Pure.
#pragma once

#include <vector>

#include "core/doctor/diagnose.h"

namespace steward {

void diagnose_settings(const DoctorFacts& facts, std::vector<Diagnosis>& found);
/// The data directory, its server, its permissions.
void diagnose_directory(const DoctorFacts& facts, std::vector<Diagnosis>& found);
/// What postgresql.conf says of the module and of archiving.
void diagnose_configuration(const DoctorFacts& facts, std::vector<Diagnosis>& found);
/// Programs and module: whether they are there, and of one version.
void diagnose_installation(const DoctorFacts& facts, std::vector<Diagnosis>& found);
void diagnose_archiving(const DoctorFacts& facts, std::vector<Diagnosis>& found);
void diagnose_disks(const DoctorFacts& facts, std::vector<Diagnosis>& found);
void diagnose_repositories(const DoctorFacts& facts, std::vector<Diagnosis>& found);

}  // namespace steward
