// Writes the golden repository of the current format version into a directory that exists:
//
//   ninja -C build/dev golden_repository && build/dev/golden_repository $PWD/test/golden/vN N
//
// Only for a new format version, into a directory of its own. What is committed is never written again: repositories out
// there do not change either.

#include <cstdio>
#include <cstdlib>

#include "golden/golden_repository.h"

namespace {

class FixedClock final : public steward::Clock {
public:
    steward::TimePoint now() const override { return steward::parse_time("2026-11-20T11:04:43Z").value(); }
};

steward::Result<void> write_golden(const char* directory, int version) {
    using namespace steward;
    const FixedClock clock;
    TRY_ASSIGN(std::unique_ptr<Storage> storage, FileStorage::open(directory));
    TRY_ASSIGN(const Repository repository, Repository::open_or_claim(std::move(storage), "golden", kGoldenIdentity, clock));
    for (const GoldenObject& object : version == 1 ? golden_objects(repository.layout()) : golden_objects_2(repository.layout())) {
        const BuiltObject built = build_object(object.kind, kGoldenIdentity.system_identifier, object.content, object.compression);
        TRY(repository.store(object.key, built, object.kind));
        std::printf("%s %s\n", object.key.c_str(), to_string(built.content_digest).c_str());
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const steward::Result<void> written = write_golden(argv[1], std::atoi(argv[2]));
    if (!written.ok()) std::fprintf(stderr, "%s\n", written.error().to_string().c_str());
    return written.ok() ? 0 : 1;
}
