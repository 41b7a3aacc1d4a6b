#include "tests/wan/region_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace gnomon::wan {

region_process::~region_process() {
  signal(SIGCONT);
  kill();
}

void region_process::start(const std::string& program, const std::vector<std::string>& settings) {
  auto own = network::address(place_);
  std::vector<std::string> all{
      "node.name=" + name_, "node.region=" + name_, "node.data_dir=" + directory_ + "/" + name_,
      "listen.tunnel=" + own + ":" + std::to_string(tunnel_port), "listen.http=127.0.0.1:" + std::to_string(http_port)};
  all.insert(all.end(), settings.begin(), settings.end());
  std::vector<std::string> words{program};
  for (const auto& setting : all) {
    words.push_back("--set");
    words.push_back(setting);
  }
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  auto log = directory_ + "/" + name_ + ".log";
  auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ != 0)
    return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 2);
  if (::getppid() == parent && net_.enter(place_))
    ::execv(argv[0], argv.data());
  ::_exit(127);
}

void region_process::kill() {
  if (pid_ <= 0)
    return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bool region_process::ended() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
    pid_ = 0;
  return pid_ == 0;
}

uint64_t region_process::resident_bytes() const {
  std::ifstream in{"/proc/" + std::to_string(pid_) + "/status"};
  for (std::string line; pid_ > 0 && std::getline(in, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoull(line.substr(6)) * 1024;
  return 0;
}

std::string region_process::log() const {
  std::ifstream in{directory_ + "/" + name_ + ".log"};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace gnomon::wan
