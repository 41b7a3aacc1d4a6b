#define CAF_SUITE options
#include "runtime/replay/options.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::replay;

namespace {

std::string refusal(const std::vector<std::string>& arguments) {
  auto parsed = parse_options(arguments);
  return parsed ? "accepted" : sentence_of(parsed.error());
}

} // namespace

CAF_TEST(run_needs_nothing_and_takes_a_trace_and_options_in_any_order) {
  auto plain = parse_options({"run"});
  CAF_REQUIRE(plain);
  CAF_CHECK(plain->what == options::command::run && plain->trace.empty() && plain->baseline);
  auto full = parse_options({"run", "--limit", "200", "t.csv", "--json=f.json", "--time-scale", "60.5", "--no-baseline",
                             "--set", "log.level=\"debug\"", "--set=placement.factor=3", "--origin", "sa-east-1"});
  CAF_REQUIRE(full);
  CAF_CHECK_EQUAL(full->trace, "t.csv");
  CAF_CHECK_EQUAL(full->limit, 200u);
  CAF_CHECK_EQUAL(full->json, "f.json");
  CAF_CHECK_EQUAL(full->time_scale, 60.5);
  CAF_CHECK(!full->baseline);
  CAF_CHECK_EQUAL(full->settings.size(), 2u);
  CAF_CHECK_EQUAL(full->settings[1], "placement.factor=3");
}

CAF_TEST(load_takes_targets) {
  auto parsed =
      parse_options({"load", "--target", "us-east-1=http://127.0.0.1:8101", "--target", "lab=http://host:1/"});
  CAF_REQUIRE(parsed);
  CAF_REQUIRE_EQUAL(parsed->targets.size(), 2u);
  CAF_CHECK_EQUAL(parsed->targets[0].api.port, 8101);
  CAF_CHECK(parsed->targets[0].region.where.has_value());
  CAF_CHECK_EQUAL(parsed->targets[1].api.host, "host");
  CAF_CHECK(!parsed->targets[1].region.where.has_value());
  auto v6 = parse_options({"load", "--target", "lab=http://[::1]:8101"});
  CAF_REQUIRE(v6);
  CAF_CHECK_EQUAL(v6->targets[0].api.host, "::1");
}

CAF_TEST(help_wins_over_everything) {
  CAF_CHECK(parse_options({"run", "--nonsense", "--help"})->what == options::command::help);
  CAF_CHECK(parse_options({"-h"})->what == options::command::help);
}

CAF_TEST(each_wrong_argument_is_named) {
  CAF_CHECK_EQUAL(refusal({}), "give a command: run, load or geodns");
  CAF_CHECK_EQUAL(refusal({"walk"}), "there is no command \"walk\"; there are run, load and geodns");
  CAF_CHECK_EQUAL(refusal({"run", "--fast"}), "there is no option --fast");
  CAF_CHECK_EQUAL(refusal({"run", "a", "b"}), "there is more than one trace: a and b");
  CAF_CHECK_EQUAL(refusal({"run", "--limit"}), "--limit needs a value");
  CAF_CHECK_EQUAL(refusal({"run", "--limit", "0"}), "--limit takes a number from 1 to 1000000000, not \"0\"");
  CAF_CHECK_EQUAL(refusal({"run", "--limit", "-3"}), "--limit takes a number from 1 to 1000000000, not \"-3\"");
  CAF_CHECK(refusal({"run", "--time-scale", "nan"}).find("--time-scale takes a number") == 0);
  CAF_CHECK_EQUAL(refusal({"run", "--time-scale=0"}),
                  "--time-scale takes a number from 0.001 to 1000000000, not \"0\"");
  CAF_CHECK_EQUAL(refusal({"load"}), "load needs at least one --target REGION=http://HOST:PORT");
  CAF_CHECK_EQUAL(refusal({"load", "--target", "x"}), "--target takes REGION=http://HOST:PORT, not \"x\"");
  CAF_CHECK_EQUAL(refusal({"load", "--target", "a=ftp://b:1"}),
                  "--target a: \"ftp://b:1\" is not like http://127.0.0.1:7001");
  for (auto bad :
       {"a=http://b", "a=http://b:0", "a=http://b:70000", "a=http://:1", "a=http://b:1/data", "a=http://::1:8101"})
    CAF_CHECK(refusal({"load", "--target", bad}).find("is not like http://") != std::string::npos);
  CAF_CHECK_EQUAL(refusal({"load", "--target", "a=http://b:1", "--target", "a=http://c:1"}),
                  "--target names the region a twice");
  for (auto command : {"run", "geodns"})
    CAF_CHECK_EQUAL(refusal({command, "--target", "a=http://b:1"}),
                    "run and geodns start their own nodes; use load with --target");
  for (auto bad : {"", ".", "g..example", "G.example", "g.example\nx", "\"", "g example", ".g", "g."})
    CAF_CHECK(refusal({"geodns", "--zone", bad}).find("--zone takes a name such as g.example") == 0);
}
