#define CAF_SUITE upload
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>

using namespace gnomon::test;
using nlohmann::json;

// A newcomer's first hour with predictions, on real processes: reads from a file, then questions.

namespace {

constexpr size_t users = 300, steps = 100, items = 60; // each user reads news/K, then news/K+1, and so on

std::string item(size_t user, size_t step) {
  return "news/" + std::to_string((7 * user + step) % items);
}

std::string write_reads(const std::string& file) {
  std::ofstream out{file};
  for (size_t step = 0; step < steps; ++step)
    for (size_t u = 0; u < users; ++u)
      out << R"({"user_id": "reader)" << u << R"(", "data_id": ")" << item(u, step) << R"(", "timestamp": )"
          << 1'700'000'000 + 60 * step + u / 8 << "}\n";
  return file;
}

int shell(const node_under_test& node, const std::string& command) {
  auto line = std::string{"timeout 100 " GNOMON " --socket "} + node.data_dir() + "/gnomon.sock " + command;
  return std::system((line + " >/dev/null 2>&1").c_str());
}

json predicted(node_under_test& node, size_t user) {
  return json::parse(node.get("/prefetch/predict?user_id=reader" + std::to_string(user)).body, nullptr, false);
}

void check_sure(node_under_test& node, size_t user) {
  auto found = predicted(node, user);
  CAF_REQUIRE(found.is_object() && found.contains("items") && !found["items"].empty());
  CAF_CHECK_EQUAL(found["items"][0]["data_id"], item(user, steps));
  CAF_CHECK_GREATER(found["items"][0]["confidence"].get<double>(), 0.9);
  for (const auto& guess : found["items"])
    for (size_t ago = 1; ago <= 10; ++ago)
      CAF_CHECK_NOT_EQUAL(guess["data_id"], item(user, steps - ago));
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

} // namespace

CAF_TEST(the_users_of_an_uploaded_file_are_known_at_once_and_after_a_restart_and_can_be_forgotten) {
  temporary_directory dir;
  auto file = write_reads(dir / "reads.ndjson");
  node_under_test node{"a", "r1", dir.path()};
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK(within(20s, [&] { return node.get("/prefetch/predict?user_id=reader7").status == 404; }));
  CAF_REQUIRE_EQUAL(shell(node, "train --no-wait " + file), 0); // the networks take longer
  auto is_sure = [&](size_t user) {
    auto found = predicted(node, user);
    return found.contains("items") && !found["items"].empty() && found["items"][0]["data_id"] == item(user, steps)
           && found["items"][0]["confidence"] > 0.9;
  };
  CAF_REQUIRE(within(60s, [&] { return is_sure(0) && is_sure(7) && is_sure(150) && is_sure(users - 1); }));
  for (size_t user : {0, 7, 150, 299})
    check_sure(node, user);
  CAF_CHECK_EQUAL(node.terminate(), 0);
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK(within(20s, [&] { return is_sure(7); }));
  check_sure(node, 7);
  CAF_CHECK(text_of(node.data_dir() + "/learned").find("reader7") != std::string::npos);
  for (auto user : {"reader7", "reader70", "reader71", "reader72", "reader73", "reader74", "reader75", "reader76",
                    "reader77", "reader78", "reader79"})
    CAF_CHECK_EQUAL(http(node.http_port(), "DELETE", std::string{"/prefetch/user/"} + user).status, 204);
  CAF_CHECK_EQUAL(text_of(node.data_dir() + "/learned").find("reader7"), std::string::npos);
  node.kill();
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK(within(20s, [&] { return predicted(node, 8).contains("items"); }));
  CAF_CHECK_EQUAL(node.get("/prefetch/predict?user_id=reader7").status, 404);
  check_sure(node, 8);
}
