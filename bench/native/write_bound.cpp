// What the disk allows for a restore: two threads write files of given sizes from memory and make them durable, with no
// reading, no decompression and no checks.
//
//   write_bound SOURCE TARGET     writes every file below SOURCE again below TARGET; prints the wall time in seconds
//
// The bytes come from one buffer that is filled from the largest file, so that a disk that compresses has real data to do it on.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr int kThreads = 2;
constexpr size_t kBuffer = size_t{1} << 20;

struct Target {
    fs::path path;
    uint64_t size;
};

[[noreturn]] void die(const fs::path& path) {
    std::perror(path.c_str());
    std::exit(1);
}

void write_file(const Target& target, const std::vector<char>& buffer) {
    const int fd = ::open(target.path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) die(target.path);
    for (uint64_t left = target.size; left > 0;) {
        const ssize_t n = ::write(fd, buffer.data(), std::min<uint64_t>(left, buffer.size()));
        if (n <= 0) die(target.path);
        left -= static_cast<uint64_t>(n);
    }
    ::close(fd);
}

/// Run `work` with every index below `count`, on all threads.
template <typename Work>
void for_each_index(size_t count, Work work) {
    std::atomic<size_t> next{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&] {
            for (size_t at = next++; at < count; at = next++) work(at);
        });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: write_bound SOURCE TARGET\n", stderr);
        return 2;
    }
    const fs::path source = argv[1], root = argv[2];
    std::vector<Target> targets;
    std::set<fs::path> directories{root};
    fs::path largest;
    uint64_t largest_size = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source)) {
        const fs::path path = root / fs::relative(entry.path(), source);
        if (entry.is_directory()) directories.insert(path);
        if (!entry.is_regular_file()) continue;
        targets.push_back({path, entry.file_size()});
        if (largest.empty() || entry.file_size() > largest_size) {
            largest = entry.path();
            largest_size = entry.file_size();
        }
    }
    std::vector<char> buffer(kBuffer);
    std::ifstream(largest, std::ios::binary).read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    // The largest files first, so that the threads end together.
    std::ranges::sort(targets, std::greater(), &Target::size);

    const auto started = std::chrono::steady_clock::now();
    for (const fs::path& directory : directories) fs::create_directories(directory);
    for_each_index(targets.size(), [&](size_t at) { write_file(targets[at], buffer); });
    // One flush of the file system is the cheapest way to make all of this durable.
    const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0 || ::syncfs(fd) != 0) die(root);
    ::close(fd);
    std::printf("%.3f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
}
