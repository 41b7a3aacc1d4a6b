#include "runtime/shell/progress.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace gnomon::shell {

using namespace std::chrono_literals;

std::string progress_line(const progress_facts& facts) {
  auto seconds = std::max(facts.elapsed.count() / 1000.0, 0.001);
  auto line = fmt::format("{} items  {}  {}/s", human_count(facts.items), human_bytes(facts.bytes),
                          human_count(static_cast<uint64_t>(facts.items / seconds)));
  if (facts.failed > 0)
    line += fmt::format("  {} failed", human_count(facts.failed));
  if (facts.share >= 0)
    line += fmt::format("  {:.0f}%", facts.share * 100);
  // The first moments say little about the rest.
  if (facts.share > 0.01 && facts.share < 1 && facts.elapsed > 1s) {
    auto left =
        std::chrono::milliseconds{static_cast<int64_t>(facts.elapsed.count() * (1 - facts.share) / facts.share)};
    line += fmt::format("  about {} left", human_duration(std::max<std::chrono::milliseconds>(left, 1s)));
  }
  return line;
}

progress::~progress() {
  clear();
}

void progress::show(progress_facts facts) {
  auto now = clock::now();
  if (!to_.err_is_tty || now < next_)
    return;
  next_ = now + 200ms;
  facts.elapsed = elapsed();
  to_.err << "\r\033[K" << progress_line(facts) << std::flush;
  visible_ = true;
}

void progress::clear() {
  if (std::exchange(visible_, false))
    to_.err << "\r\033[K" << std::flush;
}

std::chrono::milliseconds progress::elapsed() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start_);
}

} // namespace gnomon::shell
