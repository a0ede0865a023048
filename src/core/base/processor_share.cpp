#include "core/base/processor_share.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <thread>

#include "core/base/file.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr auto kAccountPeriod = 1ms;
constexpr auto kLookPeriod = 100ms;  // ten ticks of each processor
constexpr auto kMostCredit = 2ms;    // a pause is not followed by a rush
constexpr auto kLongestWait = 50ms;  // so that a change of what others do is noticed

// Columns of /proc/stat: user, nice, system, idle, iowait, irq, softirq. Then comes steal, and what is contained in the first two.
constexpr int kColumns = 7, kIdle = 3, kDiskWait = 4;

}  // namespace

std::optional<ProcessorTimes> parse_processor_times(std::string_view stat, std::chrono::nanoseconds tick) {
    if (!stat.starts_with("cpu ")) return std::nullopt;
    std::string_view line = stat.substr(3, stat.find('\n') - 3);
    ProcessorTimes times;
    for (int column = 0; column < kColumns; ++column) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        int64_t ticks = 0;
        const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), ticks);
        if (problem != std::errc()) return std::nullopt;
        line.remove_prefix(static_cast<size_t>(end - line.data()));
        (column == kIdle || column == kDiskWait ? times.idle : times.busy) += ticks * tick;
    }
    return times;
}

double allowed_share(double least, double others) { return std::clamp(1 - 2 * others, least, 1.0); }

std::chrono::nanoseconds SystemProcessorMeter::used() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::optional<ProcessorTimes> SystemProcessorMeter::times() {
    const std::chrono::nanoseconds tick = std::chrono::nanoseconds(1s) / std::max(1L, ::sysconf(_SC_CLK_TCK));
    const UniqueFd file(::open("/proc/stat", O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return std::nullopt;
    std::array<char, 512> text;  // the first line is there at once, and fits
    const ssize_t n = ::read(file.get(), text.data(), text.size());
    return n > 0 ? parse_processor_times({text.data(), static_cast<size_t>(n)}, tick) : std::nullopt;
}

unsigned SystemProcessorMeter::processors() const {
    const long online = ::sysconf(_SC_NPROCESSORS_ONLN);  // those of /proc/stat, whichever of them this process may run on
    return online > 0 ? static_cast<unsigned>(online) : 1;
}

void SystemProcessorMeter::yield() { ::sched_yield(); }

void SystemProcessorMeter::wait(std::chrono::nanoseconds duration) { std::this_thread::sleep_for(duration); }

ProcessorShare::ProcessorShare(double least, ProcessorMeter& meter)
    : least_(least),
      meter_(meter),
      next_account_(meter.now()),
      accounted_(meter.now()),
      accounted_use_(meter.used()),
      looked_(accounted_),
      looked_use_(accounted_use_),
      looked_times_(meter.times()) {}

void ProcessorShare::step_done() {
    meter_.yield();
    const Time now = meter_.now();
    if (now < next_account_.load(std::memory_order_relaxed)) return;
    next_account_.store(now + kAccountPeriod, std::memory_order_relaxed);
    if (const Nanoseconds debt = account(now); debt > 0ns) meter_.wait(debt);
}

/// Returns how long it takes at the present share until what was used too much is made up for.
std::chrono::nanoseconds ProcessorShare::account(Time now) {
    const std::lock_guard lock(mutex_);
    if (now <= accounted_) return 0ns;  // another thread was here since
    const Nanoseconds use = meter_.used();
    const double processors = allowed_ * meter_.processors();
    const Nanoseconds earned(static_cast<int64_t>(static_cast<double>((now - accounted_).count()) * processors));
    credit_ = std::min<Nanoseconds>(credit_ + earned - (use - accounted_use_), kMostCredit);
    accounted_ = now;
    accounted_use_ = use;
    if (now - looked_ >= kLookPeriod) look(now, use);
    if (credit_ >= 0ns) return 0ns;
    return std::min<Nanoseconds>(Nanoseconds(static_cast<int64_t>(static_cast<double>(-credit_.count()) / processors)), kLongestWait);
}

void ProcessorShare::look(Time now, Nanoseconds use) {
    const std::optional<ProcessorTimes> times = meter_.times();
    allowed_ = 1;
    if (times && looked_times_) {
        const Nanoseconds busy = times->busy - looked_times_->busy;
        const Nanoseconds all = busy + times->idle - looked_times_->idle;
        const Nanoseconds others = busy - (use - looked_use_);  // two clocks, which do not tell quite the same
        if (all > 0ns) allowed_ = allowed_share(least_, static_cast<double>(std::max<Nanoseconds>(others, 0ns).count()) / static_cast<double>(all.count()));
    }
    looked_ = now;
    looked_use_ = use;
    looked_times_ = times;
}

}  // namespace steward
