#define CAF_SUITE embedding
#include "gnomon/actors.hpp"
#include "gnomon/node.hpp"

#include "tests/support/temporary_directory.hpp"
#include "tests/support/throws.hpp"

#include <caf/test/dsl.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

struct app_question {
  std::string text;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, app_question& x) {
  return f(x.text);
}

struct app_note {
  int number = 0;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, app_note& x) {
  return f(x.number);
}

using asked = caf::typed_actor<caf::replies_to<app_question>::with<std::string>, caf::reacts_to<app_note>>;

CAF_BEGIN_TYPE_ID_BLOCK(embedding_test, gnomon::first_app_type_id)
CAF_ADD_TYPE_ID(embedding_test, (app_question))
CAF_ADD_TYPE_ID(embedding_test, (app_note))
CAF_END_TYPE_ID_BLOCK(embedding_test)

using namespace gnomon;
using gnomon::test::temporary_directory;
using gnomon::testing::code_from;
using namespace std::chrono_literals;

namespace {

struct fixture {
  temporary_directory folder;

  std::string config(const std::string& name, const std::string& more = {}, const std::string& seed = {}) const {
    return "[cluster]\ninsecure = true\nseeds = [" + (seed.empty() ? "" : '"' + seed + '"') + "]\n[node]\nname = \""
           + name + "\"\nregion = \"" + name + "\"\nlatitude = 50.1\nlongitude = 8.7\nthreads = 2\ndata_dir = \""
           + (folder / name) + "\"\n[listen]\ntunnel = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n"
           + "[placement]\nfactor = 1\nmin_copies = 1\n" + more;
  }
  node started(const std::string& name, const std::string& more = {}) const {
    auto made = node::from_text(config(name, more));
    made.start();
    return made;
  }
};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

/// The error that answers `message`, or none.
template <class Reply, class Handle, class Message>
ec code_of_answer(caf::actor_system& system, const Handle& to, Message message) {
  caf::scoped_actor self{system, true};
  ec code{};
  self->request(to, 10s, std::move(message))
      .receive([](const Reply&) {},
               [&](const caf::error& e) {
                 CAF_MESSAGE(sentence_of(e));
                 code = gnomon::code_of(e);
               });
  return code;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(embedding_tests, fixture)

CAF_TEST(calls_that_do_not_fit_are_refused_and_change_nothing) {
  auto made = node::from_text(config("a"));
  CAF_CHECK_EQUAL(code_from([&] { made.make_client(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { made.system(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { made.reload(); }), ec::precondition_failed);
  CAF_CHECK(!made.running());
  made.start();
  CAF_CHECK_EQUAL(code_from([&] { made.start(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { made.prepare({}); }), ec::precondition_failed);
  auto client = made.make_client();
  client.put("x", "1");
  CAF_CHECK_EQUAL(client.get("x")->value(), "1");
  made.stop();
  made.stop();
  CAF_CHECK_EQUAL(code_from([&] { made.start(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { made.make_client(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { client.get("x"); }), ec::unavailable);
  auto moved = std::move(made);
  CAF_CHECK_EQUAL(code_from([&] { made.start(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { made.running(); }), ec::precondition_failed);
}

CAF_TEST(a_node_that_could_not_start_ends_and_another_can_start) {
  auto first = started("a");
  auto second = node::from_text(config("a"));
  CAF_CHECK_EQUAL(code_from([&] { second.start(); }), ec::store_locked);
  CAF_CHECK_EQUAL(code_from([&] { second.start(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { second.make_client(); }), ec::precondition_failed);
  first.stop();
  started("a").make_client().put("x", "1");
}

CAF_TEST(what_outlives_its_node_fails_with_a_sentence) {
  std::optional<client> left;
  router_handle router;
  std::optional<later<std::optional<item>>> answer;
  {
    auto made = started("a");
    left = made.make_client();
    router = router_of(made);
    answer = left->get_later("x");
  }
  CAF_CHECK_EQUAL(code_from([&] { left->get("x"); }), ec::unavailable);
  CAF_CHECK_EQUAL(code_from([&] { left->system(); }), ec::unavailable);
  CAF_CHECK_EQUAL(code_from([&] { router_of(*left); }), ec::unavailable);
  code_from([&] { answer->get(); }); // the item or a failure, but an end
  auto copy = *left;
  left.reset();
}

CAF_TEST(a_handle_in_another_nodes_hands_says_that_its_node_has_gone) {
  auto other = started("b");
  std::optional<node> made = started("a");
  auto client = made->make_client();
  auto router = router_of(client);
  caf::scoped_actor self{other.system(), true};
  made->stop();
  CAF_CHECK_EQUAL(code_of_answer<item>(other.system(), router, api::get{"x"}), ec::unavailable);
}

CAF_TEST(messages_do_what_the_functions_do) {
  auto made = started("a");
  auto router = router_of(made);
  caf::scoped_actor self{made.system(), true};
  auto fails = [](const caf::error& e) { CAF_ERROR(sentence_of(e)); };
  self->request(router, 10s, api::put{"news/1", "hello", {.content_type = "text/plain"}})
      .receive([](const put_receipt& r) { CAF_CHECK(r.created); }, fails);
  self->request(router, 10s, api::get{"news/1"})
      .receive([](const item& x) { CAF_CHECK_EQUAL(x.value(), "hello"); }, fails);
  self->request(router, 10s, api::list{"news/"})
      .receive([](const item_list& x) { CAF_CHECK_EQUAL(x.items.size(), 1u); }, fails);
  self->request(router, 10s, api::status{"news/1"})
      .receive([](const item_status& x) { CAF_CHECK_EQUAL(x.copies.size(), 1u); }, fails);
  self->request(router, 10s, api::route{"news/1"})
      .receive([](const std::vector<route_entry>& x) { CAF_CHECK_EQUAL(x.size(), 1u); }, fails);
  CAF_CHECK_EQUAL(code_of_answer<item>(made.system(), router, api::get{"news/2"}), ec::not_found);
  CAF_CHECK_EQUAL(code_of_answer<item>(made.system(), router, api::get{""}), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_of_answer<put_receipt>(made.system(), router, api::put{"news/1", "", {.if_match = "\"other\""}}),
                  ec::precondition_failed);

  auto region = region_of(made);
  self->request(region, 10s, api::cluster{})
      .receive([](const cluster_status& x) { CAF_CHECK_EQUAL(x.self, "a"); }, fails);
  self->request(region, 10s, api::set_policy{{"type", "news", R"({"factor": 1})"}})
      .receive([](const std::string& warning) { CAF_CHECK_EQUAL(warning, ""); }, fails);
  self->request(region, 10s, api::policies{})
      .receive([](const std::vector<policy_setting>& x) { CAF_CHECK_EQUAL(x.size(), 1u); }, fails);
  self->request(region, 10s, api::set_policy{{"type", "news", ""}}).receive([](const std::string&) {}, fails);
  CAF_CHECK_EQUAL(made.make_client().policies().size(), 0u);
  CAF_CHECK_EQUAL(code_of_answer<user_prediction>(made.system(), predictor_of(made), api::predict{"nobody"}),
                  ec::not_found);

  auto shadow = shadow_of(made, "news/1");
  self->request(shadow, 10s, api::write{"again", {.replace = true}}).receive([](const put_receipt&) {}, fails);
  self->request(shadow, 10s, api::read{}).receive([](const item& x) { CAF_CHECK_EQUAL(x.value(), "again"); }, fails);
  self->request(shadow, 10s, api::erase{}).receive([](const put_receipt&) {}, fails);
  CAF_CHECK_EQUAL(code_of_answer<item>(made.system(), shadow, api::read{}), ec::not_found);
  CAF_CHECK_EQUAL(code_from([&] { shadow_of(made, ""); }), ec::invalid_argument);
}

CAF_TEST(a_read_may_ask_for_a_part_or_for_changes_only) {
  auto made = started("a");
  auto client = made.make_client();
  auto etag = client.put("x", "0123456789").etag;
  auto part = client.get("x", {.range = "2-4"});
  CAF_REQUIRE(part);
  CAF_CHECK_EQUAL(part->value(), "234");
  CAF_CHECK_EQUAL(part->offset, 2u);
  CAF_CHECK_EQUAL(part->versions.at(0).bytes, 10u);
  CAF_CHECK_EQUAL(part->etag, etag);
  CAF_CHECK_EQUAL(client.get("x", {.range = "-3"})->value(), "789");
  CAF_CHECK_EQUAL(client.get("x", {.range = "8-"})->offset, 8u);
  for (auto range : {"10-", "4-2", "all", "bytes=0-1"})
    CAF_CHECK_EQUAL(code_from([&] { client.get("x", {.range = range}); }), ec::invalid_argument);
  auto same = client.get("x", {.if_changed = etag});
  CAF_CHECK(same->unchanged);
  CAF_CHECK_EQUAL(same->versions.at(0).value, "");
  CAF_CHECK_EQUAL(code_from([&] { same->value(); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(client.get("x", {.if_match = etag, .range = "0-0"})->value(), "0");
  client.put("x", "new", {.replace = true});
  CAF_CHECK_EQUAL(client.get("x", {.if_changed = etag})->value(), "new");
  CAF_CHECK_EQUAL(code_from([&] { client.get("x", {.if_match = etag}); }), ec::precondition_failed);
  CAF_CHECK_EQUAL(code_from([&] { client.get("x", {.if_changed = etag, .if_match = etag}); }), ec::invalid_argument);
  CAF_CHECK(!client.get("y", {.if_changed = etag, .range = "0-1"}));
  caf::scoped_actor self{made.system(), true};
  self->request(router_of(made), 10s, api::get{"x", {.range = "1-"}})
      .receive([](const item& found) { CAF_CHECK_EQUAL(found.value(), "ew"); },
               [](const caf::error& e) { CAF_ERROR(sentence_of(e)); });
}

CAF_TEST(counts_policies_in_force_jobs_and_reports_are_there_in_both_ways) {
  auto made = started("a");
  auto client = made.make_client();
  caf::scoped_actor self{made.system(), true};
  auto fails = [](const caf::error& e) { CAF_ERROR(sentence_of(e)); };
  for (auto id : {"news/1", "news/2", "pages/1"})
    client.put(id, "v", {.user = "ann"});
  auto count = client.count("news/");
  CAF_CHECK(count.here == 2 && count.everywhere == 2 && count.complete);
  self->request(router_of(made), 10s, api::count{})
      .receive([](const item_counts& x) { CAF_CHECK_EQUAL(x.here, 3u); }, fails);
  client.set_policy({"user", "ann", R"({"ttl": 60})"});
  auto policy = client.effective_policy("news/1");
  CAF_CHECK_EQUAL(policy.user, "ann");
  CAF_CHECK(policy.text.find("\"ttl\":60") != std::string::npos);
  CAF_CHECK_EQUAL(policy.origins.size(), 9u);
  self->request(region_of(made), 10s, api::effective_policy{"news/1", "bob"})
      .receive([](const policy_in_force& x) { CAF_CHECK_EQUAL(x.user, "bob"); }, fails);
  CAF_CHECK_EQUAL(code_from([&] { client.drop_shadow("news/1", "a"); }), ec::rejected);
  CAF_CHECK_EQUAL(code_of_answer<done>(made.system(), router_of(made), api::drop_shadow{"news/1", "b"}), ec::not_found);
  CAF_CHECK(client.trainings().empty());
  self->request(predictor_of(made), 10s, api::trainings{})
      .receive([](const std::vector<training_report>& x) { CAF_CHECK(x.empty()); }, fails);
  CAF_CHECK_EQUAL(code_from([&] { client.report_reads({{"news/1", "eve", 0}}); }), ec::invalid_argument);
  for (auto id : {"news/1", "news/2", "pages/1", "news/1", "news/2"})
    CAF_CHECK_EQUAL(client.report_reads({{id, "eve"}}), 1u);
  self->request(predictor_of(made), 10s, api::report_reads{{{"pages/1", "eve", 2}, {"news/1", "eve"}}})
      .receive([](uint64_t reads) { CAF_CHECK_EQUAL(reads, 3u); }, fails);
  auto known = [&] { return code_from([&] { client.predict("eve"); }) == ec{}; };
  for (int i = 0; i < 100 && !known(); ++i)
    std::this_thread::sleep_for(20ms);
  CAF_CHECK(known());
}

CAF_TEST(answers_come_without_waiting) {
  auto made = started("a");
  auto client = made.make_client();
  client.put("x", "1");
  std::promise<std::string> found, missing, elsewhere;
  client.get_later("x").then([&](outcome<std::optional<item>> got) { found.set_value(got.get()->value()); });
  CAF_CHECK_EQUAL(found.get_future().get(), "1");
  client.del_later("y").then([&](outcome<put_receipt> got) {
    missing.set_value(code_from([&] { got.get(); }) == ec::not_found ? "not found" : "?");
  });
  CAF_CHECK_EQUAL(missing.get_future().get(), "not found");
  std::promise<std::thread> begun;
  std::thread::id called_on;
  auto on = [&](std::function<void()> run) { begun.set_value(std::thread{std::move(run)}); };
  client.get_later("x").then(
      [&](outcome<std::optional<item>> got) {
        called_on = std::this_thread::get_id();
        elsewhere.set_value(got.get()->value());
      },
      on);
  CAF_CHECK_EQUAL(elsewhere.get_future().get(), "1");
  auto worker = begun.get_future().get();
  CAF_CHECK(called_on == worker.get_id());
  worker.join();
  auto answer = client.status_later("x");
  CAF_CHECK(answer.wait_for(10s));
  CAF_CHECK_EQUAL(answer.get().copies.size(), 1u);
  CAF_CHECK(!answer.valid());
}

CAF_TEST(actors_that_would_wait_are_refused_and_hold_up_nobody) {
  auto made = started("a");
  auto client = made.make_client();
  client.put("x", "1");
  constexpr int count = 100;
  std::atomic<int> refused{0}, detached{0};
  for (int i = 0; i < count; ++i)
    made.system().spawn([&, node = client](caf::event_based_actor*) mutable {
      refused += code_from([&] { node.get("x"); }) == ec::invalid_argument;
      refused += code_from([&] { node.put("y", "1"); }) == ec::invalid_argument;
    });
  for (int i = 0; i < 4; ++i)
    made.system().spawn<caf::detached>(
        [&, node = client](caf::event_based_actor*) mutable { detached += node.get("x")->value() == "1"; });
  for (int i = 0; i < 1000 && (refused < 2 * count || detached < 4); ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(refused.load(), 2 * count);
  CAF_CHECK_EQUAL(detached.load(), 4);
  CAF_CHECK_EQUAL(client.get("x")->value(), "1");
  CAF_CHECK(!client.get("y")); // what was refused was not sent
}

CAF_TEST(timeouts_end_even_while_actors_hold_every_thread) {
  auto made = started("a");
  auto client = made.make_client({.timeout = 300ms, .patience = 300ms});
  std::atomic<bool> over{false};
  for (int i = 0; i < 2; ++i) // as many as threads
    made.system().spawn([&](caf::event_based_actor*) {
      while (!over)
        std::this_thread::sleep_for(5ms);
    });
  std::this_thread::sleep_for(100ms);
  CAF_CHECK_EQUAL(code_from([&] { client.get("x"); }), ec::timeout);
  over = true;
}

CAF_TEST(two_nodes_of_a_program_log_apart_and_never_to_its_streams) {
  auto streams = folder / "streams";
  auto fd = ::open(streams.c_str(), O_CREAT | O_WRONLY, 0600);
  int kept[] = {::dup(1), ::dup(2)};
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  std::mutex guard;
  std::string heard;
  {
    auto first = started("a", "[log]\nfile = \"" + folder / "a.log" + "\"\n");
    auto second = node::from_text(config("b"));
    second.log_to([&](const log_line& line) {
      std::lock_guard lock{guard};
      heard += line.level + ' ' + line.text + '\n';
    });
    second.start();
    second.reload();
  }
  ::dup2(kept[0], 1);
  ::dup2(kept[1], 2);
  for (auto each : {fd, kept[0], kept[1]})
    ::close(each);
  CAF_CHECK_EQUAL(text_of(streams), "");
  auto file = text_of(folder / "a.log");
  CAF_CHECK(file.find("http listening") != file.npos);
  CAF_CHECK(file.find("reloaded") == file.npos);
  CAF_CHECK(heard.find("info http listening") != heard.npos);
  CAF_CHECK(heard.find("info gnomond reloaded") != heard.npos);
  CAF_CHECK_EQUAL(code_from([&] { started("c", "[log]\nfile = \"/dev/null/x\"\n"); }), ec::bad_config);
}

CAF_TEST(own_message_types_are_known_to_the_nodes_system) {
  auto made = node::from_text(config("a"));
  made.prepare([](caf::actor_system_config& c) { c.add_message_types<caf::id_block::embedding_test>(); });
  made.start();
  auto echo = made.system().spawn([]() -> caf::behavior { return {[](const app_question& q) { return q.text; }}; });
  caf::scoped_actor self{made.system(), true};
  self->request(echo, 10s, app_question{"who?"})
      .receive([](const std::string& text) { CAF_CHECK_EQUAL(text, "who?"); },
               [](const caf::error&) { CAF_FAIL("!"); });
  std::vector<char> bytes;
  caf::binary_serializer out{made.system(), bytes};
  CAF_CHECK(!out(caf::make_message(app_question{"who?"})));
}

CAF_TEST(actors_find_each_other_through_their_nodes) {
  auto known = [](caf::actor_system_config& c) { c.add_message_types<caf::id_block::embedding_test>(); };
  auto first = node::from_text(config("a"));
  first.prepare(known);
  first.start();
  auto second = node::from_text(config("b", "", first.tunnel_address()));
  second.prepare(known);
  second.start();

  auto echo = first.system().spawn([](asked::pointer self) -> asked::behavior_type {
    return {[=](const app_question& q) -> caf::result<std::string> {
              if (q.text == "fail")
                return caf::make_error(caf::sec::bad_function_call);
              return "a heard " + q.text;
            },
            [=](app_note&) {}};
  });
  publish(first, "echo", echo);
  auto found = find<asked>(second, "echo").get();
  auto ask = [&](const asked& to, const std::string& text) {
    caf::scoped_actor self{second.system(), true};
    std::string heard;
    self->request(to, 10s, app_question{text})
        .receive([&](std::string& got) { heard = got; },
                 [&](const caf::error& e) { heard = std::string{name(gnomon::code_of(e))} + ": " + sentence_of(e); });
    return heard;
  };
  CAF_CHECK_EQUAL(ask(found, "hello"), "a heard hello");
  CAF_CHECK_EQUAL(ask(found, "fail").substr(0, 10), "internal: ");
  CAF_CHECK_EQUAL(ask(find<asked>(first, "echo").get(), "self"), "a heard self");
  CAF_CHECK_EQUAL(code_from([&] { find<router_handle>(second, "echo").get(); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_from([&] { find<asked>(second, "nobody").get(); }), ec::not_found);
  caf::scoped_actor self{second.system(), true};
  self->monitor(found);
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg& down) { CAF_CHECK(down.reason == caf::exit_reason::remote_link_unreachable); },
                caf::after(20s) >> [] { CAF_ERROR("it does not end with the actor that it stands for"); });
  CAF_CHECK_EQUAL(code_from([&] { find<asked>(second, "echo").get(); }), ec::not_found);

  publish(first, "echo", first.system().spawn([](asked::pointer) -> asked::behavior_type {
    return {[](const app_question&) { return std::string{"anew"}; }, [](app_note&) {}};
  }));
  auto again = find<asked>(second, "echo").get();
  CAF_CHECK_EQUAL(ask(again, ""), "anew");
  self->monitor(again);
  first.stop();
  self->receive([](const caf::down_msg&) {}, caf::after(20s) >> [] { CAF_ERROR("it does not end with its node"); });
}

CAF_TEST_FIXTURE_SCOPE_END()
