"""Recipe: every choice as asked. Plan: every choice as decided, with its reason."""

from isocenter.recipe.plan import Channel, Plan, Scaling, Variation
from isocenter.recipe.recipe import Recipe
from isocenter.recipe.toml import read_recipe, recipe_from

__all__ = ["Channel", "Plan", "Recipe", "Scaling", "Variation", "read_recipe", "recipe_from"]
