// JSON in the bodies of requests: policies, orders for copies, and uploads of accesses.
#include "actors/node/policy.hpp"
#include "runtime/base/access_reader.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/base/strict_json.hpp"
#include "runtime/gateway/json.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

void read_policy(std::string_view input) {
  const auto rule = policy_rule::from_json(std::string{input});
  if (!rule)
    return;
  const auto text = rule->to_json();
  const auto again = policy_rule::from_json(text);
  require(again && again->to_json() == text, "a policy reads back as it was written");
}

std::vector<std::string> policies() {
  return {R"({"factor": 3, "min_copies": 2, "ttl": 3600, "acks": "all", "conflicts": "lww"})",
          R"({"residency": ["eu-central-1", "us"], "learn": false, "routing": "redirect", "durable": "follows"})",
          R"({"ttl": "adaptive", "acks": 2, "conflicts": "siblings", "residency": []})"};
}

std::string accesses_of(std::string_view input, size_t piece) {
  std::string all;
  access_reader reader{[&](const named_access& each) {
    all.append(each.user).append("\n").append(each.item).append("\n").append(each.region).append("\n");
    all += std::to_string(each.time);
  }};
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size())))
    reader.feed(input.substr(0, piece));
  reader.finish();
  return all + std::to_string(reader.lines()) + "," + std::to_string(reader.bad_lines());
}

void read_bodies(std::string_view input) {
  if (auto body = http::parse_strictly(input, ""))
    json_text(*body);
  parse_strict_json<nlohmann::ordered_json>(input);
  require(accesses_of(input, SIZE_MAX) == accesses_of(input, 1), "accesses are the same however they arrive");
}

std::vector<std::string> bodies() {
  return {"{\"user_id\":\"u\",\"data_id\":\"news/1\",\"timestamp\":1700000000,\"region\":\"eu\"}\n"
          "{\"user_id\":\"v\",\"data_id\":\"a\",\"timestamp\":\"2024-05-01T12:00:00Z\"}\r\n",
          "\xEF\xBB\xBF[{\"user_id\":\"u\",\"data_id\":\"\\u00e4\",\"timestamp\":1.7e12}, {\"x\":[1,[2]]}]",
          R"({"id": "news/1", "region": "eu-central-1", "ttl": 60, "a": null, "a": true})"};
}

const listed policy_target{"policies", read_policy, policies};
const listed body_target{"bodies", read_bodies, bodies};

} // namespace
} // namespace gnomon::fuzz
