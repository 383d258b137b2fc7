#include "tests/bench/search_peers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>

namespace facegate {
namespace {

// A matrix of float32 as NumPy's format 1.0 has it.
Status WriteMatrix(const std::string& path, size_t columns, std::span<const float> values) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                  values.size() / columns, columns);
  constexpr size_t kBefore = 10;
  constexpr size_t kMultiple = 64;
  while ((kBefore + header.size() + 1) % kMultiple != 0) header += ' ';
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(header.size() % 256)
       << static_cast<char>(header.size() / 256) << header;
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  file.close();
  return file.good() ? OkStatus() : Internal("cannot write " + path);
}

}  // namespace

StatusOr<std::unique_ptr<SearchPeers>> SearchPeers::Start(const std::string& python,
                                                          const SearchFaces& faces,
                                                          bool with_graphs) {
  std::unique_ptr<SearchPeers> peers(new SearchPeers);
  const std::string rows = peers->vectors_.File("rows.npy");
  const std::string probes = peers->vectors_.File("probes.npy");
  std::vector<float> joined;
  for (const auto& probe : faces.probes()) joined.insert(joined.end(), probe.begin(), probe.end());
  FACEGATE_RETURN_IF_ERROR(WriteMatrix(rows, faces.dimension(), faces.AllRows()));
  FACEGATE_RETURN_IF_ERROR(WriteMatrix(probes, faces.dimension(), joined));

  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) {
    return Internal("cannot make a pipe");
  }
  // An end of Python is told by the answer that does not come.
  std::signal(SIGPIPE, SIG_IGN);
  peers->pid_ = ::fork();
  if (peers->pid_ == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    ::execl(python.c_str(), python.c_str(), FACEGATE_SEARCH_PEERS, rows.c_str(), probes.c_str(),
            with_graphs ? "--graphs" : nullptr, static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  peers->to_ = ::fdopen(to[1], "w");
  peers->from_ = ::fdopen(from[0], "r");
  FACEGATE_ASSIGN_OR_RETURN(const nlohmann::json greeting, peers->Read());
  peers->description_ = greeting["versions"];
  peers->names_ = greeting["peers"];
  for (const auto& [name, share] : greeting["found"].items()) {
    peers->found_.emplace_back(name, share);
  }
  return peers;
}

SearchPeers::~SearchPeers() {
  if (to_ != nullptr) std::fclose(to_);  // upon which Python ends
  if (from_ != nullptr) std::fclose(from_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

StatusOr<nlohmann::json> SearchPeers::Read() {
  std::string line;
  for (int byte = std::fgetc(from_); byte != EOF && byte != '\n'; byte = std::fgetc(from_)) {
    line += static_cast<char>(byte);
  }
  nlohmann::json answer = nlohmann::json::parse(line, nullptr, false);
  if (answer.is_discarded()) {
    return Internal(
        "search_peers.py has ended: has the Python of FACEGATE_PYTHON numpy, faiss-cpu and "
        "usearch?");
  }
  return answer;
}

std::vector<Contender> SearchPeers::ContendersOf(const SearchCase& search) {
  std::vector<Contender> contenders;
  for (const std::string& name : names_) {
    contenders.push_back({.name = name, .burst = [this, name, search](double seconds) {
                            return Burst(name, search, seconds);
                          }});
  }
  return contenders;
}

StatusOr<double> SearchPeers::Burst(const std::string& peer, const SearchCase& search,
                                    double seconds) {
  const nlohmann::json request{{"peer", peer},
                               {"k", search.k},
                               {"batch", search.batch},
                               {"threads", search.threads},
                               {"seconds", seconds}};
  std::fputs((request.dump() + "\n").c_str(), to_);
  std::fflush(to_);
  FACEGATE_ASSIGN_OR_RETURN(const nlohmann::json answer, Read());
  return answer["ms"].get<double>();
}

}  // namespace facegate
