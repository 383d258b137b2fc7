#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "face/onnx/onnx_model.h"

// What a forward pass of a TorchScript module computes, written down as the nodes of an ONNX graph.
// The pass itself runs, so that each tensor is there with its numbers.
namespace facegate::torch_script {

using Attributes = std::map<std::string, OnnxAttribute, std::less<>>;
// A tensor of the state dict, by its name.
using NamedTensor = std::pair<std::string, at::Tensor>;

// An operator that was applied to what depends on the picture.
struct ScriptCall {
  std::string_view op;  // without "aten::", and without the "_" of one that changes its input
  const c10::FunctionSchema& schema;
  const std::vector<c10::IValue>& inputs;
  at::Tensor output;

  // The argument of that name; None where the operator has none.
  c10::IValue Argument(const char* name) const;
};

class ScriptTrace {
 public:
  // Constants may have `most_bytes` together.
  ScriptTrace(const std::vector<NamedTensor>& named, size_t most_bytes);

  void Begin(const at::Tensor& picture);
  // True for a tensor that depends on the picture, and for a list or tuple that holds one, however
  // deep.
  bool Follows(const c10::IValue& value) const;
  // What an operator is about to change in place. Other values that lie on the same numbers are not
  // what the graph says of them from then on. kInvalidArgument where it is a constant.
  Status NoteChange(const at::Tensor& changed);
  // Remembers that a constant is another one with rows and columns exchanged.
  void NoteTransposed(const at::Tensor& constant, const at::Tensor& of);
  // That other one; undefined where there is none.
  at::Tensor TransposeOf(const at::Tensor& constant) const;

  // What a tensor is called in the graph. One that does not depend on the picture is a constant.
  StatusOr<std::string> Name(const at::Tensor& tensor);
  // The same of a constant that has this shape in the graph.
  StatusOr<std::string> Constant(const at::Tensor& tensor, std::vector<int64_t> shape);
  StatusOr<std::string> Numbers(std::vector<int64_t> shape, const std::vector<float>& numbers);
  std::string Whole(const std::vector<int64_t>& numbers);
  // Writes a node. Its output is `output`, or a new value where that is null; returns the name.
  std::string Give(const char* op, std::vector<std::string> inputs, Attributes attributes,
                   const at::Tensor* output);

  // The graph that ends in `output`. kInvalidArgument where that does not depend on the picture.
  StatusOr<OnnxModel> Finish(const at::Tensor& output);

 private:
  void Keep(const at::Tensor& tensor);
  std::string NewName(const char* kind);
  Status Add(const std::string& name, Tensor tensor);

  std::unordered_map<const c10::TensorImpl*, std::string> named_;   // constants
  std::unordered_map<const c10::TensorImpl*, std::string> values_;  // what depends on the picture
  std::unordered_map<const c10::TensorImpl*, at::Tensor> transposed_;
  std::unordered_set<const c10::TensorImpl*> changed_;  // values that the graph does not have
  std::vector<at::Tensor> kept_;                        // an address stands for one tensor
  // Those of kept_ that lie on the same numbers.
  std::unordered_map<const c10::StorageImpl*, std::vector<const c10::TensorImpl*>> on_storage_;
  size_t bytes_left_;
  size_t names_ = 0;
  OnnxModel model_;
};

// Writes what an operator does. kInvalidArgument where it is applied in a way that graphs do not
// have; the words follow its name.
Status WriteOperator(const ScriptCall& call, ScriptTrace& trace);

// True for operators that WriteOperator() knows.
bool IsWritten(std::string_view op);

}  // namespace facegate::torch_script
