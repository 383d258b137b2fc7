// Seeds for safetensors_fuzz.cc and torch_pickle_fuzz.cc: weight files of a few numbers.
#include <cmath>

#include "face/base/coding.h"
#include "face/weights/model_file.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

ModelCard SmallCard() {
  ModelCard card;
  card.architecture = "net-1";
  card.embedding_size = 2;
  card.preprocessing_digest = PreprocessingDigest(card.preprocessing);
  card.training_data = "made up";
  card.licence = "Apache-2.0";
  card.origin = "tests";
  return card;
}

ModelCard FullCard() {
  ModelCard card = SmallCard();
  card.preprocessing = {.colour_order = ColourOrder::kBgr,
                        .mean = {1.5F, 0.1F, 3.0F},
                        .scale = {1 / 255.0F, 1e-10F, -2.0F},
                        .alignment = AlignmentTemplate::kSphereFace96x112,
                        .letterbox = true,
                        .letterbox_grey = 17,
                        .mirror_average = true};
  card.preprocessing_digest = PreprocessingDigest(card.preprocessing);
  card.accuracy = {{"LFW", 99.55, "%", "facegate-train eval"}};
  card.default_min_cosine = 0.35F;
  card.canary =
      Canary{.seed = 7, .embeddings = {{0.6F, 0.8F}, {std::sqrt(0.5F), -std::sqrt(0.5F)}}};
  return card;
}

TensorMap SomeTensors() {
  TensorMap tensors;
  tensors["w"] = {.dtype = DType::kF32, .shape = {2, 1}, .bytes = FloatBytes({1.0F, 2.0F})};
  tensors["bias"] = {.dtype = DType::kF16, .shape = {3}, .bytes = "abcdef"};
  tensors["step"] = {.dtype = DType::kI64, .shape = {}, .bytes = "12345678"};
  tensors["none"] = {.dtype = DType::kU8, .shape = {0, 4}, .bytes = ""};
  return tensors;
}

std::string ModelBytes(ModelCard card) {
  Safetensors file{.tensors = SomeTensors(), .metadata = {}};
  card.model_digest = ModelDigest(card.architecture, file.tensors);
  file.metadata[std::string(kCardKey)] = ModelCardToJson(card);
  return SerializeSafetensors(file);
}

std::string WithHeader(const std::string& header, const std::string& data) {
  std::string file;
  AppendLittleEndian(file, static_cast<uint64_t>(header.size()));
  return file + header + data;
}

std::string CardJson(ModelCard card) {
  card.model_digest = std::string(64, 'a');
  return ModelCardToJson(card);
}

// An OrderedDict of one name, as model.state_dict() gives it, with the attribute _metadata.
void WriteStateDict(PickleWriter& writer, std::string_view type, int64_t elements) {
  writer.Global("collections", "OrderedDict").Raw(")R").Text("module.conv.weight");
  writer.Tensor(type, "0", elements, 0, {2, elements / 2}, {elements / 2, 1});
  writer.Raw("s}").Text("_metadata").Raw("}sb");
}

std::string StateDict(std::string_view type, int64_t elements) {
  PickleWriter writer;
  writer.Proto();
  WriteStateDict(writer, type, elements);
  return writer.Stop().bytes();
}

// A training script saves this: the state dict beside other things.
std::string Checkpoint() {
  PickleWriter writer;
  writer.Proto(4).Raw("}").Put(0).Mark().Text("epoch").Int(300).Text("loss").Float(0.25);
  writer.Text("best").Bool(true).Text("history").Raw("](").Int(1).None().Raw("e");
  writer.Text("state_dict");
  WriteStateDict(writer, "FloatStorage", 6);
  return writer.Raw("u").Stop().bytes();
}

std::string SharedStorage() {
  PickleWriter writer;
  writer.Proto().Raw("}").Mark();
  writer.Text("a").Tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
  writer.Text("b").Tensor("FloatStorage", "0", 6, 1, {3, 1}, {2, 0});
  return writer.Raw("u").Stop().bytes();
}

// One that would call a function, were it executed.
std::string Hostile() {
  PickleWriter writer;
  writer.Proto().Global("os", "system").Mark().Text("true");
  return writer.Raw("tR").Stop().bytes();
}

std::string OutsideItsStorage() {
  PickleWriter writer;
  writer.Proto().Raw("}").Text("w");
  writer.Tensor("FloatStorage", "0", 6, 5, {4'000'000'000, 4'000'000'000}, {1, 1});
  return writer.Raw("s").Stop().bytes();
}

}  // namespace

std::vector<Seed> SafetensorsSeeds() {
  const std::string plain = SerializeSafetensors({.tensors = SomeTensors(), .metadata = {}});
  return {
      {"plain", plain},
      {"metadata", SerializeSafetensors({.tensors = SomeTensors(), .metadata = {{"a", "\"\\\n"}}})},
      {"no_tensors", SerializeSafetensors({})},
      {"model", ModelBytes(SmallCard())},
      {"model_full", ModelBytes(FullCard())},
      {"card", CardJson(SmallCard())},
      {"card_full", CardJson(FullCard())},
      {"truncated", plain.substr(0, plain.size() - 5)},
      {"long_header", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)},
      {"overlap", WithHeader(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                             "abc")},
      {"hole", WithHeader(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "abc")},
      {"wraps",
       WithHeader(R"({"a":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,0]}})",
                  "")},
      {"twice", WithHeader(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                           R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                           "")},
      {"escapes",
       WithHeader(R"({"\u00e4\ud83d\ude00\t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})",
                  "\x01")},
      {"deep", "{\"a\":" + std::string(200, '[')},
  };
}

std::vector<Seed> TorchPickleSeeds() {
  const std::string six = FloatBytes({0, 1, 2, 3, 4, 5});
  const std::string dict = StateDict("FloatStorage", 6);
  const std::vector<StorageBytesOf> floats = {{"0", 6, six}};
  const std::string zip = TorchZip(dict, floats, {.checksums = false});
  return {
      {"zip", zip},
      {"zip_checksums", TorchZip(dict, floats)},
      {"zip_64", TorchZip(dict, floats, {.zip64 = true, .checksums = false})},
      {"zip_descriptors", TorchZip(dict, floats, {.descriptors = true, .checksums = false})},
      {"zip_padding", TorchZip(dict, floats, {.checksums = false, .padding = 20})},
      {"zip_deflated", TorchZip(dict, floats, {.checksums = false, .method = 8})},
      {"zip_encrypted", TorchZip(dict, floats, {.checksums = false, .flags = 1})},
      {"zip_checkpoint", TorchZip(Checkpoint(), floats, {.checksums = false})},
      {"zip_shared", TorchZip(SharedStorage(), floats, {.checksums = false})},
      {"zip_outside", TorchZip(OutsideItsStorage(), floats, {.checksums = false})},
      {"zip_short_storage", TorchZip(dict, {{"0", 6, six.substr(3)}}, {.checksums = false})},
      {"zip_half", TorchZip(StateDict("HalfStorage", 12), floats, {.checksums = false})},
      {"zip_truncated", zip.substr(0, zip.size() - 7)},
      {"legacy", TorchLegacy(dict, floats)},
      {"legacy_checkpoint", TorchLegacy(Checkpoint(), floats)},
      {"legacy_shared", TorchLegacy(SharedStorage(), floats)},
      {"legacy_big_endian", TorchLegacy(dict, floats, false)},
      {"legacy_truncated", TorchLegacy(dict, {{"0", 6, six.substr(9)}})},
      {"pickle", dict},
      {"pickle_checkpoint", Checkpoint()},
      {"pickle_hostile", Hostile()},
      {"pickle_text_opcodes", "(dp0\nS'a'\nI12\nsV\\u00e4\nL5L\nsI01\nF1.5\ns."},
      {"pickle_no_stop", dict.substr(0, dict.size() - 1)},
  };
}

}  // namespace facegate
