"""Recipe: every choice as asked. Plan: every choice as decided, with its reason."""

from isocenter.recipe.decisions import Decision, decisions_of
from isocenter.recipe.goal import Goal, Number
from isocenter.recipe.plan import Channel, Estimate, Plan, Scaling, Variation
from isocenter.recipe.recipe import Recipe
from isocenter.recipe.toml import read_recipe, recipe_from

__all__ = [
    "Channel",
    "Decision",
    "Estimate",
    "Goal",
    "Number",
    "Plan",
    "Recipe",
    "Scaling",
    "Variation",
    "decisions_of",
    "read_recipe",
    "recipe_from",
]
