// A node's config file, and the values that its keys hold.
#include "runtime/node/config.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

void read(std::string_view input) {
  const auto config = parse_config(input, "input");
  if (!config)
    return;
  check_config(*config);
  changed_keys(*config, node_config{});
  std::vector<std::string> overrides;
  for (const auto& [key, value] : config_text(*config))
    if (!value.empty())
      overrides.push_back(key + "=" + value);
  require(!overrides.empty(), "a config has keys");
}

std::vector<std::string> examples() {
  return {
      "[cluster]\nname = \"x\"\nseeds = [\"127.0.0.1:7101\"]\n[node]\nname = \"a\"\nregion = 'a'\nlatitude = 1.5\n"
      "longitude = -77\ndata_dir = \"/tmp/x\"\nthreads = 2\nstop_within = \"10s\"\n[listen]\n"
      "tunnel = \"[::1]:7101\"\nhttp = \"\"\n",
      "node.restored = true\nlinks.delay = { \"us\" = \"40ms\" }\n[http]\nbuffered_bytes = \"512MiB\"\n"
      "connections = 0x10\n",
      "[location]\nnetworks = [\"10.0.0.0/8 = eu\", \"::/0 = 1.0, 2.0\"]\n[dns]\nzones = [\n\"g.example\", # x\n]\n"
      "ttl_min = \"1s\"\n[log]\nlevel = \"debug\"\n[[a.b]]\nc = 1979-05-27T07:32:00Z\nd = \"\"\"\nx\\u00e4\"\"\"\n"};
}

const listed this_target{"configs", read, examples};

} // namespace
} // namespace gnomon::fuzz
