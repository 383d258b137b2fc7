#include "face/torch/graph_parts.h"

#include <algorithm>

namespace facegate {

std::vector<size_t> EndsOfParts(const std::vector<network::Call>& calls, size_t most) {
  std::vector<size_t> last_reads(calls.size() + 1, 0);  // the call that reads each value last
  for (size_t i = 0; i < calls.size(); ++i) {
    for (const size_t value : calls[i].inputs) last_reads[value] = i;
  }
  std::vector<size_t> ends;
  size_t begin = 0;
  size_t cut = 0;
  size_t needed = 0;  // the last call that reads a value of before the one that the i-th gives
  for (size_t i = 0; i < calls.size(); ++i) {
    needed = std::max(needed, last_reads[i]);
    if (needed > i) continue;
    if (i + 1 - begin > most && cut > begin) {
      ends.push_back(cut);
      begin = cut;
    }
    cut = i + 1;
  }
  ends.push_back(calls.size());
  return ends;
}

}  // namespace facegate
