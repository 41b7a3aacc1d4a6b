#include "actors/cluster/parcels.hpp"
#include "actors/messages/protocol.hpp"
#include "runtime/net/basp_guard.hpp"
#include "runtime/net/basp_reader.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <concepts>
#include <functional>
#include <map>

/// What a shell says. Its requests may be as long as a value, so they pass while they still arrive.
namespace gnomon {
namespace {

constexpr size_t types_bytes = 300;                 // what a request is, it says within these, after its header
constexpr size_t most_bytes = 4u << 20;             // of a request without a value
constexpr size_t most_requests = 4096;              // under way at once
constexpr uint64_t most_request_bytes = 256u << 20; // of all of them, unless it is one

/// CAF asks each new one for its service of nodes, and gets this.
constexpr std::string_view spawn_servers_answer = "@<>+@atom+@str+@strong_actor_ptr+@str";

static_assert(longest_request > max_parcel_bytes && most_request_bytes > longest_request);

template <class T>
concept holds_much = std::same_as<T, write_item> || std::same_as<T, load_item> || std::same_as<
    T, train_piece> || std::same_as<T, exchange_policies>;

using lengths = std::map<std::string, size_t, std::less<>>;
template <class... Ts>
using types = caf::detail::type_list<Ts...>;

/// What a router answers, apart from questions for other programs' actors.
template <class Request, class Answer>
void add_length(lengths& to, const caf::typed_mpi<types<Request>, caf::output_tuple<Answer>>*) {
  if constexpr (!std::same_as<Answer, void> && !std::same_as<Request, find_actor>)
    to.emplace(std::string{"@<>+"} + caf::type_name<Request>::value,
               holds_much<Request> ? longest_request : most_bytes);
}
void add_length(lengths&, const void*) {} // what it tells itself

template <class... Signatures>
lengths lengths_of(const types<Signatures...>*) {
  lengths all;
  (add_length(all, static_cast<const Signatures*>(nullptr)), ...);
  return all;
}

/// How long which request to a router may be.
const lengths& lengths_of_requests() {
  static const auto all = lengths_of(static_cast<const router_actor::signatures*>(nullptr));
  return all;
}

} // namespace

basp_guard::ruling basp_guard::judge_request(const header& head, std::string_view arrived) {
  if (arrived.size() < std::min(head.bytes(), basp::header_bytes + types_bytes))
    return {};
  auto& t = *traffic_;
  fields payload{arrived.substr(basp::header_bytes, head.length)};
  const auto stages = payload.length(0);
  const auto types = payload.types();
  if (types == spawn_servers_answer && basp::is_async(head.data) && head.bytes() <= basp::max_small_bytes)
    return arrived.size() < head.bytes() ? ruling{} : ruling{verdict::drop, head.bytes()};
  if (!payload.good() || stages != 0 || head.flags != 0 || head.source == 0 || basp::is_async(head.data)
      || basp::is_response(head.data))
    return basp::cut(fmt::format("it sent a message of types {} that is no request", types));
  const auto& known = lengths_of_requests();
  const auto request = known.find(types);
  if (t.gates.count(head.target) > 0 ? types != "@<>+gnomon::hello_client"
                                     : t.routers.count(head.target) == 0 || request == known.end())
    return basp::cut(fmt::format("it sent a request of types {}, which shells do not send there", types));
  const auto most = request == known.end() ? basp::max_small_bytes : request->second;
  if (head.bytes() > most)
    return basp::cut(fmt::format("it announced a request of {} bytes", head.bytes()));
  if (!t.requests.empty()
      && (t.requests.size() >= most_requests || t.request_bytes + head.bytes() > most_request_bytes))
    return {verdict::hold};
  if (!t.requests.emplace(std::pair{head.source, head.data & basp::request_mask}, head.bytes()).second)
    return basp::cut("it sent one request twice");
  t.request_bytes += head.bytes();
  const auto here = std::min(arrived.size(), head.bytes());
  rest_of_request_ = head.bytes() - here;
  return {verdict::pass, here};
}

basp_guard::ruling basp_guard::judge_rest(size_t arrived) {
  const auto here = std::min<uint64_t>(arrived, rest_of_request_);
  rest_of_request_ -= here;
  return {here > 0 ? verdict::pass : verdict::wait, here};
}

/// Those of an earlier connection are answered to nobody.
void basp_guard::forget_requests() {
  traffic_->requests.clear();
  traffic_->request_bytes = 0;
}

/// Each message to a shell answers a request. A welcome also names the router.
void basp_guard::note_answer(const header& head, fields payload) {
  if (head.operation != basp::direct_message)
    return;
  auto& t = *traffic_;
  ++t.answers_due;
  if (const auto answered = t.requests.extract({head.target, head.data & basp::request_mask}))
    t.request_bytes -= answered.mapped();
  if (payload.length(0) != 0 || payload.types() != "@<>+gnomon::client_welcome")
    return;
  for (auto i = 0; i < 4; ++i) // the node: cluster, name, region and address,
    payload.text(basp::longest_name);
  payload.take(4 * sizeof(uint64_t)); // four numbers,
  for (auto n = payload.length(basp::max_addresses); n > 0; --n)
    payload.text(basp::longest_name); // and its HTTP
  basp::remember(t.routers, payload.number<uint64_t>());
}

} // namespace gnomon
