// DescriptionFromJson(): a network that is written as it was read, whose tensors have names of
// their own; or kInvalidArgument.
#include <set>
#include <string>

#include "face/base/check.h"
#include "face/network/census.h"
#include "face/network/description_json.h"
#include "face/network/tensor_list.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

void RunJson(std::string_view json) {
  const StatusOr<network::Description> read = DescriptionFromJson(json);
  if (!read.ok()) {
    FACEGATE_CHECK(read.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  const std::string written = DescriptionToJson(*read);
  const StatusOr<network::Description> again = DescriptionFromJson(written);
  FACEGATE_CHECK(again.ok());
  FACEGATE_CHECK(DescriptionToJson(*again) == written);
  FACEGATE_CHECK(network::CensusOf(*again) == network::CensusOf(*read));
  std::set<std::string> names;
  for (const network::TensorShape& tensor : network::TensorsOf(*read)) {
    FACEGATE_CHECK(names.insert(tensor.name).second);
  }
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  facegate::RunJson(facegate::AsText(data, size));
  return 0;
}
