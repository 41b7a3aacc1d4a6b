#include "runtime/gateway/token_check.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon::http {

using namespace std::chrono_literals;

namespace {

constexpr auto remembered_for = 60s; // after it was last asked about
constexpr size_t most_tokens_remembered = 10'000;
constexpr size_t most_waiting = 64; // each takes 50 ms
constexpr size_t most_waiting_of_one = 4;

} // namespace

token_check::token_check(context_ptr node) : node_(std::move(node)), thread_(log::bound([this] { run(); })) {}

token_check::~token_check() {
  {
    std::lock_guard lock{mutex_};
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<grant_ptr> token_check::known(std::string_view token) {
  const auto parts = parse_token(token);
  if (!parts)
    return grant_ptr{};
  const auto digest = digest_of_token(token);
  {
    std::lock_guard lock{mutex_};
    if (auto found = remembered_.find(digest); found != remembered_.end()) {
      if (still_holds(found->second))
        return found->second.rights;
      remembered_.erase(found);
    }
  }
  if (!node_->tokens.get()->in_force(parts->id, wall_time()))
    return grant_ptr{}; // its hash would change nothing
  return std::nullopt;
}

/// A table that has changed may have the token revoked.
bool token_check::still_holds(remembered& entry) const {
  const auto now = clock::now();
  if (now >= entry.until || wall_time() >= entry.expires)
    return false;
  if (auto table = node_->tokens.get(); table != entry.seen) {
    if (!table->in_force(entry.id, wall_time()))
      return false;
    entry.seen = std::move(table);
  }
  entry.until = now + remembered_for;
  return true;
}

bool token_check::check(std::string token, const ip_address& from, answer then) {
  std::lock_guard lock{mutex_};
  const auto of_one = std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.from == from; });
  if (waiting_.size() >= most_waiting || static_cast<size_t>(of_one) >= most_waiting_of_one)
    return false;
  waiting_.push_back({std::move(token), from, std::move(then)});
  changed_.notify_one();
  return true;
}

void token_check::run() {
  for (;;) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    if (over_)
      return;
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    grant_ptr rights;
    try {
      rights = judge(next.token);
    } catch (const std::exception& problem) {
      log::error("http", "token-not-checked", {{"reason", problem.what()}});
    }
    next.then(std::move(rights));
  }
}

grant_ptr token_check::judge(const std::string& token) {
  if (auto already = known(token)) // of another connection, which asked at the same time
    return *already;
  const auto parts = parse_token(token);
  const auto table = node_->tokens.get();
  const auto* record = table->in_force(parts->id, wall_time());
  if (!record)
    return nullptr;
  auto rights = is_secret_of(record->hash, parts->secret)
                    ? std::make_shared<const grant>(grant{"token " + record->name, record->may, record->types})
                    : nullptr;
  remember(digest_of_token(token), {rights, record->id, record->expires, table, clock::now() + remembered_for});
  return rights;
}

/// Also that a token is wrong: who sends it again and again costs one hash.
void token_check::remember(const token_digest& digest, remembered what) {
  std::lock_guard lock{mutex_};
  if (remembered_.size() >= most_tokens_remembered)
    remembered_.clear(); // they are found again
  remembered_.insert_or_assign(digest, std::move(what));
}

} // namespace gnomon::http
