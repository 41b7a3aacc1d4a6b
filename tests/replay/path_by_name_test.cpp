#define CAF_SUITE path_by_name
#include "runtime/replay/path_by_name.hpp"

#include "runtime/base/label.hpp"
#include "runtime/replay/resolver.hpp"

#include "fake_dns.hpp"
#include "fake_node.hpp"

#include <caf/test/dsl.hpp>

#include <optional>

using namespace gnomon;
using namespace gnomon::replay;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() {
    near.items["/data/x"] = far.items["/data/x"] = "1";
    names.reply = [this](const fake_dns::bytes& asked) { return reply_to(asked); };
  }

  load_plan make_plan() {
    load_plan made;
    made.targets = {{{"near", std::nullopt}, near.api()}, {{"far", std::nullopt}, far.api()}};
    made.timeout = 500ms;
    distances.set("near", "far", 20);
    return made;
  }

  fake_dns::bytes reply_to(const fake_dns::bytes& asked) {
    auto [name, type] = fake_dns::question_of(asked);
    if (type == 1)
      return fake_dns::answer(asked, 0, {fake_dns::record(1, 60, {127, 0, 0, 1})});
    auto known = services.find(name);
    if (known == services.end())
      return fake_dns::answer(asked, 3, {}, {fake_dns::record(6, 60, fake_dns::soa(60))});
    std::vector<fake_dns::bytes> records;
    for (uint16_t priority = 0; auto port : known->second)
      records.push_back(fake_dns::record(64, ttl,
                                         fake_dns::svcb(++priority, "host.g.example", port,
                                                        hints ? fake_dns::bytes{127, 0, 0, 1} : fake_dns::bytes{})));
    return fake_dns::answer(asked, 0, records);
  }

  /// The answer's status, 0 without one, and who gave it.
  std::pair<unsigned, size_t> get(size_t home) {
    std::optional<std::pair<unsigned, size_t>> got;
    http_request request;
    request.target = "/data/x";
    path.send(home, "x", std::move(request), [&](const expected<http_response>& answer, size_t from) {
      got.emplace(answer ? answer->status : 0, from);
    });
    CAF_REQUIRE(!loop.run_until([&] { return got.has_value(); }, 10s));
    return *got;
  }

  event_loop loop;
  fake_node near{loop};
  fake_node far{loop};
  fake_dns::server names{loop};
  std::map<std::string, std::vector<uint16_t>> services; // ports by name
  uint32_t ttl = 60;
  bool hints = true;
  round_trips distances;
  load_plan plan = make_plan();
  path_by_name path{loop, plan, names.address(), "g.example", distances};
  std::string item = label_of("x") + ".g.example";
};

using got = std::pair<unsigned, size_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(paths, fixture)

CAF_TEST(a_reader_goes_where_the_items_name_leads_and_remembers_it_for_its_region) {
  services[item] = {far.api().port, near.api().port};
  CAF_CHECK(get(0) == got(200, 1));
  CAF_CHECK(get(0) == got(200, 1));
  CAF_CHECK_EQUAL(names.asked.size(), 1u);
  CAF_CHECK(get(1) == got(200, 1));
  CAF_CHECK_EQUAL(names.asked.size(), 2u);
  CAF_CHECK_EQUAL(path.figures().by_nearest[0], 1u); // the reader of the other region is at home there
  CAF_CHECK_EQUAL(path.figures().by_nearest[1], 2u);
}

CAF_TEST(what_may_not_be_kept_is_asked_for_again) {
  services[item] = {near.api().port};
  ttl = 0;
  get(0);
  get(0);
  CAF_CHECK_EQUAL(names.asked.size(), 2u);
  CAF_CHECK_EQUAL(path.figures().remembered, 0u);
}

CAF_TEST(without_hints_the_hosts_address_is_asked_for) {
  services[item] = {near.api().port};
  hints = false;
  CAF_CHECK(get(0) == got(200, 0));
  CAF_CHECK_EQUAL(names.asked.size(), 2u);
}

CAF_TEST(a_name_that_does_not_exist_leads_to_the_nearest_region) {
  services["g.example"] = {near.api().port};
  CAF_CHECK(get(0) == got(200, 0));
  CAF_CHECK_EQUAL(path.figures().unknown, 1u);
}

CAF_TEST(a_node_that_is_dead_is_followed_by_the_next_record) {
  auto free = free_ports(1);
  CAF_REQUIRE(free);
  plan.targets.push_back({{"dead", std::nullopt}, {"127.0.0.1", free->front()}});
  path_by_name three(loop, plan, names.address(), "g.example", distances);
  services[item] = {free->front(), far.api().port};
  std::optional<got> answered;
  three.send(0, "x", {"GET", "/data/x", {}, {}}, [&](const expected<http_response>& answer, size_t from) {
    answered.emplace(answer ? answer->status : 0, from);
  });
  CAF_REQUIRE(!loop.run_until([&] { return answered.has_value(); }, 10s));
  CAF_CHECK(*answered == got(200, 1));
  CAF_CHECK_EQUAL(three.figures().next_record, 1u);
}

CAF_TEST(an_address_of_no_node_is_an_error) {
  services[item] = {1};
  CAF_CHECK(get(0) == got(0, 0));
  CAF_CHECK(near.targets.empty() && far.targets.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(the_resolver_is_told_of_all_servers) {
  auto text = resolver_config("/work", {"127.0.0.1", 53}, "g.example", {{"127.0.0.1", 1}, {"127.0.0.1", 2}});
  for (const auto* line : {"  interface: 127.0.0.1@53\n", "  stub-addr: 127.0.0.1@1\n", "  stub-addr: 127.0.0.1@2\n",
                           "  name: \"g.example\"\n", "  module-config: \"subnetcache iterator\"\n"})
    CAF_CHECK(text.find(line) != std::string::npos);
}
