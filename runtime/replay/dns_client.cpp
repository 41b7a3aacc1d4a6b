#include "runtime/replay/dns_client.hpp"

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <map>
#include <random>

namespace gnomon::replay {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto ask_again = 1s;
constexpr int attempts = 5;

} // namespace

/// What outlives the client while handlers are under way.
class dns_client::core : public std::enable_shared_from_this<dns_client::core> {
public:
  core(asio::io_context& io, const host_port& resolver) : io_(io), socket_(io) {
    error_code failure;
    auto address = asio::ip::make_address(resolver.host, failure);
    if (!failure)
      socket_.open(address.is_v4() ? udp::v4() : udp::v6(), failure);
    if (!failure)
      socket_.connect({address, resolver.port}, failure);
    usable_ = !failure;
  }

  void ask(dns_question question, callback answer) {
    auto id = free_id();
    auto message = usable_ ? dns_message(question, id)
                           : expected<std::vector<uint8_t>>{make_error(ec::invalid_argument, "no such resolver")};
    if (!message)
      return asio::post(io_, [answer = std::move(answer), wrong = message.error()] { answer(wrong); });
    waiting_.emplace(id, waiting{std::move(question), std::move(*message), std::move(answer), 0,
                                 std::make_unique<asio::steady_timer>(io_)});
    send(id);
  }

  void receive() {
    if (!usable_)
      return;
    socket_.async_receive(asio::buffer(buffer_), [self = shared_from_this()](error_code failure, size_t size) {
      if (failure == asio::error::operation_aborted || self->closed_)
        return;
      if (!failure) // a resolver that does not listen yet makes errors here
        self->take(size);
      self->receive();
    });
  }

  void close() {
    closed_ = true;
    waiting_.clear();
    error_code ignored;
    socket_.close(ignored);
  }

private:
  struct waiting {
    dns_question question;
    std::vector<uint8_t> message;
    callback answer;
    int sent = 0;
    std::unique_ptr<asio::steady_timer> timer;
  };

  /// Random, so that an answer that comes too late does not meet another question.
  uint16_t free_id() {
    for (;;)
      if (auto id = static_cast<uint16_t>(random_()); !waiting_.contains(id))
        return id;
  }

  void send(uint16_t id) {
    auto& entry = waiting_.at(id);
    if (entry.sent++ == attempts)
      return finish(id, make_error(ec::timeout, "the resolver does not answer for " + entry.question.name));
    error_code ignored; // what is lost is sent again
    socket_.send(asio::buffer(entry.message), 0, ignored);
    entry.timer->expires_after(ask_again);
    entry.timer->async_wait([self = shared_from_this(), id](error_code failure) {
      if (!failure && !self->closed_ && self->waiting_.contains(id))
        self->send(id);
    });
  }

  void take(size_t size) {
    if (size < 2)
      return;
    auto id = static_cast<uint16_t>(buffer_[0] << 8 | buffer_[1]);
    auto entry = waiting_.find(id);
    if (entry == waiting_.end())
      return;
    auto answer = read_dns_answer(buffer_.data(), size, id, entry->second.question);
    if (!answer && code_of(answer.error()) == ec::bad_message && entry->second.sent < attempts)
      return; // the true one may still come
    finish(id, answer);
  }

  void finish(uint16_t id, const expected<dns_answer>& answer) {
    auto entry = waiting_.extract(id);
    entry.mapped().answer(answer);
  }

  asio::io_context& io_;
  udp::socket socket_;
  bool usable_ = false;
  bool closed_ = false;
  std::mt19937 random_{std::random_device{}()};
  std::map<uint16_t, waiting> waiting_;
  std::array<uint8_t, 4096> buffer_{};
};

dns_client::dns_client(asio::io_context& io, const host_port& resolver) : core_(std::make_shared<core>(io, resolver)) {
  core_->receive();
}

dns_client::~dns_client() {
  core_->close();
}

void dns_client::ask(dns_question question, callback answer) {
  core_->ask(std::move(question), std::move(answer));
}

} // namespace gnomon::replay
