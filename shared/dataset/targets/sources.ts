/** Pages of trainers that say which columns they read. */
export const SOURCES = {
  trl: "https://huggingface.co/docs/trl/dataset_formats",
  trlGrpo: "https://huggingface.co/docs/trl/grpo_trainer",
  verlSft: "https://github.com/volcengine/verl/blob/main/verl/utils/dataset/multiturn_sft_dataset.py",
  verl: "https://verl.readthedocs.io/en/latest/preparation/prepare_data.html",
  llamaFactory: "https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md",
  msSwift: "https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html",
  msSwiftAgent: "https://swift.readthedocs.io/en/latest/Instruction/Agent-support.html",
  openai: "https://developers.openai.com/api/docs/guides/supervised-fine-tuning",
  openaiDpo: "https://developers.openai.com/api/docs/guides/direct-preference-optimization",
  skyrl: "https://github.com/NovaSky-AI/SkyRL/blob/main/skyrl-train/docs/datasets/dataset-preparation.rst",
  primeRl: "https://github.com/PrimeIntellect-ai/prime-rl/blob/main/docs/training.md",
  verifiers: "https://github.com/PrimeIntellect-ai/verifiers/blob/main/docs/legacy/environments.md",
  harbor: "https://harborframework.com/docs/agents/trajectory-format",
} as const;
