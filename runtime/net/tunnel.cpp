#include "runtime/net/tunnel.hpp"

#include "runtime/base/times.hpp"
#include "runtime/net/tunnel_impl.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace gnomon {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::steady_clock::duration review_every = std::chrono::minutes{1};
constexpr std::chrono::steady_clock::duration review_moves_every = std::chrono::seconds{1};
constexpr auto tell_every = std::chrono::hours{24};

/// Has the kernel end a connection whose other machine is gone without a word, within about 20 s.
void notice_silent_death(int fd) {
  auto set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 3);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

uint64_t end_of(const certificate_facts& certificate) {
  return epoch_seconds(certificate.ends);
}

} // namespace

// -- rules -----------------------------------------------------------------------------------------------------------

expected<tunnel_rules> tunnel_rules::from(const tunnel_security& security, const std::string& listen) {
  auto networks = plain_networks::from(security.networks);
  if (!networks)
    return make_error(ec::bad_config, sentence_of(networks.error()));
  tunnel_rules rules{security.credentials, security.insecure, std::move(*networks), security.proxies};
  if (!rules.credentials && !rules.insecure)
    return make_error(ec::bad_config, "nodes speak TLS to each other, and need a certificate, its key and authorities; "
                                      "or say insecure = true for plain TCP on loopback");
  if (auto where = rules.parse(listen); !where && !listen.empty())
    return make_error(ec::bad_config, sentence_of(where.error()));
  return rules;
}

expected<tcp::endpoint> tunnel_rules::parse(const std::string& address) const {
  return credentials ? parse_address(address) : parse_plain(address, plain);
}

bool tunnel_rules::are_proxy(const asio::ip::address& who) const {
  const auto address = ip_address::parse(who.to_string());
  return address
         && std::any_of(proxies.begin(), proxies.end(), [&](const auto& each) { return each.contains(*address); });
}

bool tunnel_rules::allow(const channel& line, const asio::ip::address& who) const {
  const auto* tls = line.tls();
  return tls == nullptr ? allow_plain(who) : credentials && tls->trusted_by(*credentials);
}

// -- start and stop --------------------------------------------------------------------------------------------------

tunnel::impl::impl(tunnel_config config, greeter decide)
    : config_(std::move(config)), decide_(std::move(decide)), acceptor_(io_), work_(io_.get_executor()),
      next_review_(io_), limits_(config_.max_handshakes, config_.max_handshakes_each) {
  if (!config_.caf_node.empty())
    peers_ = std::make_shared<basp_peers>(config_.caf_node);
}

caf::error tunnel::impl::listen() {
  auto rules = tunnel_rules::from(config_.security, config_.listen);
  if (!rules)
    return rules.error();
  rules_ = std::move(*rules);
  if (config_.listen.empty())
    return {};
  const auto endpoint = rules_.parse(config_.listen);
  error_code failure;
  acceptor_.open(endpoint->protocol(), failure);
  if (!failure)
    acceptor_.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure)
    acceptor_.bind(*endpoint, failure);
  if (!failure)
    acceptor_.listen(asio::socket_base::max_listen_connections, failure);
  if (failure)
    return make_error(ec::bad_config, "cannot listen on " + config_.listen + " for other nodes: " + failure.message()
                                          + "; choose another listen.tunnel, or stop what uses it");
  if (config_.self.address.empty())
    config_.self.address = to_text(acceptor_.local_endpoint());
  return {};
}

void tunnel::impl::run() {
  if (acceptor_.is_open())
    go_on_accepting();
  on_thread([self = shared_from_this()] {
    self->tell_of_rules();
    self->review();
  });
  thread_ = std::thread{log::bound([this] {
    for (auto over = false; !over;)
      over = guarded("handler", [this] { io_.run(); });
    finished_.set_value();
  })};
}

void tunnel::impl::stop() {
  {
    std::lock_guard lock{posting_};
    if (std::exchange(stopped_, true) || !thread_.joinable())
      return;
    asio::post(io_, [this] { close_all(); }); // the last step that is asked for
  }
  // Whatever waits is closed and ends by itself; the bound is for bugs of ours.
  if (finished_.get_future().wait_for(std::chrono::seconds{2}) != std::future_status::ready) {
    log::error("tunnel", "slow-stop");
    io_.stop();
  }
  thread_.join();
}

void tunnel::impl::close_all() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  next_review_.cancel();
  for (auto& line : handshakes_)
    line->close();
  for (auto& [relay, facts] : relays{relays_})
    relay->close();
  for (auto& question : questions_)
    question->arrived.cancel();
  work_.reset();
}

// -- what holds from now on ------------------------------------------------------------------------------------------

caf::error tunnel::impl::secure(const tunnel_security& security) {
  auto rules = tunnel_rules::from(security, config_.listen);
  if (!rules)
    return rules.error();
  on_thread([self = shared_from_this(), rules = std::move(*rules)]() mutable {
    self->rules_ = std::move(rules);
    self->told_of_expiry_ = {};
    self->tell_of_rules();
    self->review();
  });
  return {};
}

/// Moves connections that would not be let in as they are: the rules are others, or a certificate has ended.
void tunnel::impl::review() {
  if (stopping_)
    return;
  certificate_ends_ = rules_.credentials ? end_of(rules_.credentials->own()) : 0;
  authority_ends_ = rules_.credentials ? end_of(rules_.credentials->first_to_end()) : 0;
  for (auto& [relay, facts] : relays{relays_})
    if (!relay->moving() && !rules_.allow(relay->far(), facts.who)) {
      facts.shell ? turn_out(relay) : move(relay);
    } else if (relay->moving() && std::chrono::steady_clock::now() > facts.moved_by) {
      log::warn("tunnel", "move-overdue", {{"node", facts.node}});
      relay->close();
    }
  if (std::chrono::steady_clock::now() >= told_of_expiry_)
    tell_of_expiry();
  review_later();
}

/// Nobody can call a shell. It calls again when it has a better certificate.
void tunnel::impl::turn_out(const std::shared_ptr<relay>& shell) {
  log::info("tunnel", "shell-turned-out",
            {{"who", relays_.at(shell).node}, {"reason", "its certificate has ended, or nobody vouches for it now"}});
  shell->close();
}

void tunnel::impl::review_later() {
  const auto hurry = std::any_of(relays_.begin(), relays_.end(), [](const auto& each) { return each.first->moving(); });
  next_review_.expires_after(hurry ? review_moves_every : review_every);
  next_review_.async_wait([weak = weak_from_this()](error_code cancelled) {
    if (auto self = weak.lock(); self && !cancelled)
      self->review();
  });
}

void tunnel::impl::tell_of_rules() {
  if (rules_.credentials && acceptor_.is_open())
    log::info("tunnel", "speaks-tls",
              {{"certificate", rules_.credentials->own().subject},
               {"serial", rules_.credentials->own().serial},
               {"ends", rfc3339(rules_.credentials->own().ends)},
               {"plain_too", rules_.insecure}});
}

void tunnel::impl::tell_of_expiry() {
  if (rules_.credentials && warn_of_expiry("tunnel", *rules_.credentials))
    told_of_expiry_ = std::chrono::steady_clock::now() + tell_every;
}

std::map<std::string, uint64_t> tunnel::impl::counts() const {
  return {{"tls_connections", secure_},
          {"plain_connections", plain_},
          {"shell_connections", shells_now_},
          {"failed_handshakes", failed_},
          {"refused_callers", refused_},
          {"cut_off_peers", cut_off_},
          {"certificate_ends", certificate_ends_},
          {"authority_ends", authority_ends_}};
}

// -- both sides of a connection --------------------------------------------------------------------------------------

awaitable<expected<std::string>> tunnel::impl::read_envelope(channel& line) {
  error_code failure;
  std::string head(preamble_head_bytes, '\0');
  co_await line.read(asio::buffer(head), failure);
  if (failure)
    co_return make_error(ec::unavailable, "it said nothing: " + line.explain(failure));
  auto length = body_length(head);
  if (!length)
    co_return std::move(length.error());
  std::string body(*length, '\0');
  co_await line.read(asio::buffer(body), failure);
  if (failure)
    co_return make_error(ec::unavailable, "it stopped in the middle: " + line.explain(failure));
  co_return body;
}

/// Each program of a shell has a CAF of its own, and so traffic of its own.
std::unique_ptr<basp_guard> tunnel::impl::guard_for(const carried& facts, bool called_us) {
  if (!peers_)
    return nullptr;
  if (!facts.shell)
    return std::make_unique<basp_guard>(peers_, facts.node,
                                        called_us ? basp_role::calling_node : basp_role::called_node);
  auto tell = [self = shared_from_this(), who = asker{facts.node, facts.who.to_string()},
               kept = facts.shell](const std::string& caf_node) {
    *kept = caf_node;
    self->config_.shell_came(caf_node, who);
  };
  return std::make_unique<basp_guard>(peers_, fmt::format("{} {}", facts.node, facts.program), basp_role::shell,
                                      std::move(tell));
}

void tunnel::impl::begin_relay(channel_ptr near, channel_ptr far, carried facts, std::string dialed) {
  tune(*far);
  auto i = config_.delays.find(facts.node);
  auto delay = i == config_.delays.end() ? duration::zero() : i->second;
  auto both = std::make_shared<relay>(std::move(near), std::move(far), delay, config_.buffer_bytes,
                                      guard_for(facts, dialed.empty()));
  if (facts.shell) {
    ++shells_;
    log::info("tunnel", "shell-connected", {{"who", facts.node}, {"from", facts.who.to_string()}});
  }
  relays_.emplace(both, std::move(facts));
  recount();
  if (dialed.empty())
    ++accepted_;
  else
    dialed_[dialed] = both;
  both->start([self = shared_from_this(), weak = std::weak_ptr{both}, dialed](const std::string& cut) {
    if (auto which = weak.lock())
      self->end_relay(which, dialed, cut);
  });
}

void tunnel::impl::end_relay(const std::shared_ptr<relay>& which, const std::string& dialed, const std::string& cut) {
  if (const auto ended = relays_.extract(which)) {
    const auto& facts = ended.mapped();
    if (!cut.empty()) {
      ++cut_off_;
      peers_->with(facts.node)->refuse_for_a_while(std::chrono::steady_clock::now());
      log::error("tunnel", "peer-cut-off", {{"node", facts.node}, {"from", facts.who.to_string()}, {"reason", cut}});
    }
    if (facts.shell) {
      --shells_;
      log::info("tunnel", "shell-left", {{"who", facts.node}, {"from", facts.who.to_string()}});
      if (!facts.shell->empty())
        config_.shell_left(*facts.shell);
    }
  }
  recount();
  if (dialed.empty())
    --accepted_;
  else if (auto i = dialed_.find(dialed); i != dialed_.end() && i->second.lock() == which)
    dialed_.erase(i);
}

void tunnel::impl::recount() {
  const auto tls = std::count_if(relays_.begin(), relays_.end(), [](const auto& each) {
    return each.first->far().tls() != nullptr && !each.second.shell;
  });
  secure_ = static_cast<uint64_t>(tls);
  shells_now_ = shells_;
  plain_ = relays_.size() - static_cast<uint64_t>(tls) - shells_;
}

void tunnel::impl::tune(channel& line) {
  error_code ignored;
  line.lower().set_option(tcp::no_delay{true}, ignored);
  notice_silent_death(line.lower().native_handle());
}

std::unique_ptr<asio::steady_timer> tunnel::impl::close_at(time_point deadline, channel_ptr line,
                                                           std::shared_ptr<bool> expired) {
  auto timer = std::make_unique<asio::steady_timer>(io_, deadline);
  timer->async_wait([line = std::move(line), expired = std::move(expired)](error_code cancelled) {
    if (cancelled)
      return;
    *expired = true;
    line->close();
  });
  return timer;
}

// -- the contract ----------------------------------------------------------------------------------------------------

tunnel::tunnel(std::shared_ptr<impl> self) : impl_(std::move(self)) {}

tunnel::~tunnel() {
  stop();
}

expected<std::unique_ptr<tunnel>> tunnel::start(tunnel_config config, greeter decide) {
  auto self = std::make_shared<impl>(std::move(config), std::move(decide));
  if (auto err = self->listen())
    return err;
  self->run();
  return std::unique_ptr<tunnel>{new tunnel{std::move(self)}};
}

const std::string& tunnel::address() const {
  return impl_->self().address;
}

void tunnel::dial(const std::string& address, duration timeout, dial_function done) {
  impl_->dial(address, timeout, std::move(done));
}

void tunnel::hang_up(const std::string& address) {
  impl_->hang_up(address);
}

caf::error tunnel::secure(tunnel_security security) {
  return impl_->secure(security);
}

std::map<std::string, uint64_t> tunnel::counts() const {
  return impl_->counts();
}

void tunnel::stop() {
  impl_->stop();
}

} // namespace gnomon
