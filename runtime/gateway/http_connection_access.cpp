// How a connection begins, and who asks.
#include "runtime/base/log.hpp"
#include "runtime/gateway/cors.hpp"
#include "runtime/gateway/http_connection.hpp"
#include "runtime/gateway/rights.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

using boost::system::error_code;

/// Owned by nobody, because threads that count the owners of one thing wait for each other.
grant_ptr anyone() {
  static const grant everything{"anyone", role::admin};
  return {grant_ptr{}, &everything};
}

} // namespace

// -- the begin --------------------------------------------------------------------------------------------------------

void connection::start(bool turn_away) {
  guarded([=, this] {
    const auto& security = *owner_.security();
    phase_ = phase::opening;
    deadline_ = clock::now() + owner_.parts().config.head_timeout;
    turn_away_ = turn_away;
    if (!security.proxy_protocol)
      return encrypt();
    const auto trusted = [&](const ip_prefix& network) { return peer_ && network.contains(*peer_); };
    if (std::none_of(security.proxies.begin(), security.proxies.end(), trusted))
      return fail_to_open("it is no proxy, and only proxies may connect");
    proxy_ = std::make_unique<proxy_header>();
    read_proxy_header();
  });
}

/// No byte more than the header: what follows may be encrypted.
void connection::read_proxy_header() {
  if (const auto wanted = std::min(proxy_->wanted(), in_.size()); wanted > 0)
    return line_.read_exactly(in_.data(), wanted, [self = shared_from_this()](const error_code& fault, size_t count) {
      self->guarded([&] { self->take_proxy_header(fault, count); });
    });
  if (proxy_->broken())
    return fail_to_open("it does not begin with a header of the PROXY protocol");
  if (proxy_->source())
    peer_ = proxy_->source();
  proxy_.reset();
  encrypt();
}

void connection::take_proxy_header(const error_code& fault, size_t count) {
  if (phase_ == phase::closed)
    return;
  if (fault)
    return fail_to_open(fault.message());
  proxy_->take({in_.data(), count});
  read_proxy_header();
}

/// Who is turned away over TLS hears no reason: that would cost as much as an answer.
void connection::encrypt() {
  vouched_by_ = owner_.security()->credentials;
  if (!vouched_by_)
    return opened({});
  if (turn_away_)
    return close();
  line_.shake_hands(vouched_by_, [self = shared_from_this()](const error_code& fault) {
    self->guarded([&] { self->opened(fault); });
  });
}

void connection::opened(const error_code& fault) {
  if (phase_ == phase::closed)
    return;
  if (fault)
    return refuse_to_open(line_.explain(fault));
  phase_ = phase::head;
  if (turn_away_)
    fail(503, name(ec::overloaded),
         "the server has as many connections, of all or of one address, as it may; try again later");
  else
    serve();
}

void connection::fail_to_open(std::string_view reason) {
  count_failed_opening(reason);
  close();
}

/// TLS has told the client why. It has sent a request already, for with TLS 1.3 its own handshake is over.
void connection::refuse_to_open(std::string_view reason) {
  count_failed_opening(reason);
  linger();
  linger_end_ = deadline_;
}

void connection::count_failed_opening(std::string_view reason) {
  owner_.parts().failed_openings.fetch_add(1, std::memory_order_relaxed);
  log::debug("http", "not-opened", {{"from", peer_ ? to_string(*peer_) : "?"}, {"reason", reason}});
}

// -- who asks ---------------------------------------------------------------------------------------------------------

/// Notes who asks. False: the token is being checked, and the request goes on once that is known.
bool connection::identify() {
  who_ = nullptr;
  shows_token_ = false;
  if (!owner_.security()->authorize) {
    who_ = anyone();
    return true;
  }
  const auto token = bearer_token(head_.authorization);
  if (token.empty()) {
    who_ = by_certificate();
    return true;
  }
  shows_token_ = true;
  if (auto known = owner_.parts().tokens->known(token)) {
    who_ = std::move(*known);
    return true;
  }
  phase_ = phase::checking;
  deadline_ = clock::now() + owner_.parts().config.head_timeout;
  if (!owner_.check_token(serial_, token, peer_.value_or(ip_address{})))
    fail(503, name(ec::overloaded), "too many tokens are being checked; try again");
  return false;
}

void connection::resume(grant_ptr rights) {
  if (phase_ != phase::checking)
    return;
  guarded([&] {
    phase_ = phase::head;
    who_ = std::move(rights);
    answer_head();
    if (phase_ == phase::head)
      serve();
  });
}

/// Whom the client's certificate names, as the config says now. Null: nobody.
grant_ptr connection::by_certificate() {
  const auto& now = *owner_.security();
  const auto* tls = line_.tls();
  if (!tls || tls->peer().clients.empty() || tls->peer().ends <= wall_time() || !now.credentials)
    return nullptr;
  if (vouched_by_ != now.credentials) { // the authorities may be others since
    if (!tls->trusted_by(*now.credentials))
      return nullptr;
    vouched_by_ = now.credentials;
  }
  for (const auto& client : tls->peer().clients)
    if (auto found = now.clients.find(client); found != now.clients.end())
      return found->second;
  return nullptr;
}

/// What was permitted when the request began may not be any more: an upload or a stream goes on for long.
bool connection::is_still_permitted() {
  if (!owner_.security()->authorize)
    return true;
  const auto* field = asked_.field("authorization");
  const auto token = field ? parse_token(bearer_token(*field)) : std::nullopt;
  if (token)
    return owner_.parts().node->tokens.get()->in_force(token->id, wall_time()) != nullptr;
  return by_certificate() != nullptr;
}

/// The refusal that the head alone justifies, by what whoever asks may do.
std::optional<response> connection::refuse_asker() const {
  if (auto answer = preflight(asked_, where_, owner_.security()->origins))
    return answer;
  const auto needed = role_for(where_, asked_.method);
  auto refusal = refuse_role(who_, needed, shows_token_);
  if (refusal && who_ && needed == role::admin)
    log::warn("audit", "refused",
              {{"who", who_->who},
               {"from", from()},
               {"what", asked_.method + " " + std::string{pattern_of(where_)}},
               {"needs", name(needed)}});
  return refusal;
}

std::string connection::from() const {
  const auto address = client(asked_);
  return address ? to_string(*address) : "?";
}

} // namespace gnomon::http
