#define CAF_SUITE dns_client
#include "runtime/replay/dns_client.hpp"

#include "fake_dns.hpp"

#include <caf/test/dsl.hpp>

#include <optional>
#include <random>

using namespace gnomon;
using namespace gnomon::replay;
using namespace std::chrono_literals;
using fake_dns::operator+;

namespace {

const dns_question services{"item.g.example", true, "10.3.0.0", 16};
const dns_question address{"eu.g.example", false, "10.3.0.0", 16};

fake_dns::bytes message_for(const dns_question& question) {
  auto bytes = dns_message(question, 0x1234);
  CAF_REQUIRE(bytes);
  return *bytes;
}

expected<dns_answer> read(const fake_dns::bytes& bytes, const dns_question& question = services) {
  return read_dns_answer(bytes.data(), bytes.size(), 0x1234, question);
}

fake_dns::bytes two_services() {
  return fake_dns::answer(message_for(services), 0,
                          {fake_dns::record(64, 3, fake_dns::svcb(2, "us.g.example", 81)),
                           fake_dns::record(64, 2, fake_dns::svcb(1, "eu.g.example", 80, {127, 0, 0, 1}))});
}

} // namespace

CAF_TEST(a_question_names_its_clients_network) {
  auto bytes = message_for(services);
  CAF_CHECK_EQUAL(bytes[0] << 8 | bytes[1], 0x1234);
  CAF_CHECK_EQUAL(fake_dns::question_of(bytes).first, "item.g.example");
  CAF_CHECK_EQUAL(fake_dns::question_of(bytes).second, 64);
  const fake_dns::bytes option{0, 8, 0, 6, 0, 1, 16, 0, 10, 3};
  CAF_CHECK(std::search(bytes.begin(), bytes.end(), option.begin(), option.end()) != bytes.end());
  CAF_CHECK(!dns_message({"a..b", true, "10.3.0.0", 16}, 1));
  CAF_CHECK(!dns_message({"a.b", true, "10.3", 16}, 1));
  CAF_CHECK(!dns_message({"a.b", true, "10.3.0.0", 33}, 1));
}

CAF_TEST(services_come_in_the_order_of_their_priorities) {
  auto answer = read(two_services());
  CAF_REQUIRE(answer);
  CAF_REQUIRE_EQUAL(answer->services.size(), 2u);
  CAF_CHECK_EQUAL(answer->services[0].host, "eu.g.example");
  CAF_CHECK_EQUAL(answer->services[0].address, "127.0.0.1");
  CAF_CHECK_EQUAL(answer->services[0].port, 80);
  CAF_CHECK_EQUAL(answer->services[1].address, "");
  CAF_CHECK_EQUAL(answer->ttl.count(), 2);
}

CAF_TEST(what_does_not_exist_has_the_ttl_of_the_soa) {
  auto asked = message_for(services);
  auto none = read(fake_dns::answer(asked, 3, {}, {fake_dns::record(6, 60, fake_dns::soa(7))}));
  CAF_REQUIRE(none);
  CAF_CHECK(!none->exists);
  CAF_CHECK_EQUAL(none->ttl.count(), 7);
  auto nothing = read(fake_dns::answer(asked, 0, {}, {fake_dns::record(6, 5, fake_dns::soa(7))}));
  CAF_REQUIRE(nothing);
  CAF_CHECK(nothing->exists);
  CAF_CHECK_EQUAL(nothing->ttl.count(), 5);
  auto failed = read(fake_dns::answer(asked, 2, {}));
  CAF_CHECK(!failed && sentence_of(failed.error()).find("SERVFAIL") != std::string::npos);
}

CAF_TEST(addresses_are_read) {
  auto answer = read(fake_dns::answer(message_for(address), 0, {fake_dns::record(1, 9, {192, 0, 2, 1})}), address);
  CAF_REQUIRE(answer);
  CAF_REQUIRE_EQUAL(answer->addresses.size(), 1u);
  CAF_CHECK_EQUAL(answer->addresses[0], "192.0.2.1");
}

CAF_TEST(what_is_no_answer_to_the_question_is_refused) {
  auto good = two_services();
  CAF_CHECK(!read_dns_answer(good.data(), good.size(), 0x1235, services));
  CAF_CHECK(!read(good, address));
  CAF_CHECK(!read(good, {"other.g.example", true, "10.3.0.0", 16}));
  CAF_CHECK(!read(message_for(services))); // the question itself
  auto truncated = good;
  truncated[2] |= 2;
  CAF_CHECK(!read(truncated));
}

CAF_TEST(cut_and_changed_messages_do_no_harm) {
  auto good = two_services();
  for (size_t size = 0; size < good.size(); ++size)
    CAF_CHECK(!read_dns_answer(good.data(), size, 0x1234, services));
  std::mt19937 random{1};
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    if (auto answer = read(bytes))
      CAF_REQUIRE(answer->services.size() <= 2);
  }
}

CAF_TEST(a_lost_question_is_sent_again_and_a_wrong_answer_is_passed_over) {
  event_loop loop;
  fake_dns::server server(loop);
  server.reply = [&](const fake_dns::bytes& asked) {
    auto message = fake_dns::answer(asked, 0, {fake_dns::record(64, 2, fake_dns::svcb(1, "eu.g.example", 80))});
    if (server.asked.size() == 1)
      message.resize(20); // has the id, but says nothing
    return message;
  };
  dns_client client(loop.io(), server.address());
  std::optional<expected<dns_answer>> got;
  client.ask(services, [&](const expected<dns_answer>& answer) { got.emplace(answer); });
  CAF_REQUIRE(!loop.run_until([&] { return got.has_value(); }, 10s));
  CAF_REQUIRE(*got);
  CAF_CHECK_EQUAL((*got)->services.size(), 1u);
  CAF_CHECK_EQUAL(server.asked.size(), 2u);
}

CAF_TEST(a_client_may_go_while_questions_are_open) {
  event_loop loop;
  fake_dns::server server(loop);
  server.reply = [](const fake_dns::bytes&) { return fake_dns::bytes{}; };
  auto heard = 0;
  {
    dns_client client(loop.io(), server.address());
    for (int i = 0; i < 100; ++i)
      client.ask(services, [&](const expected<dns_answer>&) { ++heard; });
  }
  CAF_CHECK(!loop.pause(50ms));
  CAF_CHECK_EQUAL(heard, 0);
}
