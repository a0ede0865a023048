// What this machine's processors and disk allow for archiving WAL: two threads that read a segment, digest it, compress it
// with zstd level 3, write it and make it durable, and nothing else. Shares no code with pg_steward.
//
//   wal_push_bound frames|whole PG_WAL TARGET < names     prints the wall time in seconds

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 2;
constexpr int kLevel = 3;
constexpr size_t kFrameSize = 256 * 1024;

[[noreturn]] void die(const std::string& what) {
    std::perror(what.c_str());
    std::exit(1);
}

struct Job {
    size_t frame_size;  ///< 0: the whole segment is one frame
    std::string source;
    std::string target;
    std::vector<std::string> names;
    std::atomic<size_t> next{0};
};

void flush_directory(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0 || ::fsync(fd) != 0) die(path);
    ::close(fd);
}

/// Everything one thread keeps from segment to segment.
class Pusher {
public:
    explicit Pusher(Job& job) : job_(job), context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    }

    void run() {
        for (size_t i = job_.next++; i < job_.names.size(); i = job_.next++) push(job_.names[i]);
    }

private:
    void push(const std::string& name) {
        read(job_.source + "/" + name);
        size_t stored = 0;
        const size_t step = job_.frame_size == 0 ? plain_.size() : job_.frame_size;
        for (size_t at = 0; at < plain_.size(); at += step) {
            const size_t length = std::min(step, plain_.size() - at);
            const XXH128_hash_t digest = XXH3_128bits(plain_.data() + at, length);
            digests_ ^= digest.low64;
            stored_.resize(std::max(stored_.size(), stored + ZSTD_compressBound(length)));
            const size_t n = ZSTD_compress2(context_.get(), stored_.data() + stored, stored_.size() - stored, plain_.data() + at, length);
            if (ZSTD_isError(n)) die("zstd");
            stored += n;
        }
        write(job_.target + "/" + name, stored);
    }

    void read(const std::string& path) {
        const int fd = ::open(path.c_str(), O_RDONLY);
        struct stat st;
        if (fd < 0 || ::fstat(fd, &st) != 0) die(path);
        plain_.resize(static_cast<size_t>(st.st_size));
        if (::read(fd, plain_.data(), plain_.size()) != st.st_size) die(path);
        ::close(fd);
    }

    void write(const std::string& path, size_t size) const {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || ::write(fd, stored_.data(), size) != static_cast<ssize_t>(size) || ::fsync(fd) != 0) die(path);
        ::close(fd);
        flush_directory(job_.target);
    }

    Job& job_;
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
    std::vector<char> plain_;
    std::vector<char> stored_;
    uint64_t digests_ = 0;  // keeps the compiler from leaving the digests out
};

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc == 4 ? argv[1] : "";
    if (mode != "frames" && mode != "whole") {
        std::cerr << "usage: wal_push_bound frames|whole PG_WAL TARGET < names\n";
        return 2;
    }
    Job job{mode == "frames" ? kFrameSize : 0, argv[2], argv[3], {}};
    for (std::string name; std::getline(std::cin, name);) job.names.push_back(name);

    const auto started = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) threads.emplace_back([&job] { Pusher(job).run(); });
    }
    std::printf("%.3f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
}
